// What the browser says and shows: a tone, and the test picture of the system tests, whose clock and
// colour bars a program can read (tests/system/picture.py). No device is asked for.
const COLUMNS = 32, ROWS = 18;
const BARS = ['#bfbfbf', '#bfbf00', '#00bfbf', '#00bf00', '#bf00bf', '#bf0000', '#0000bf', '#000000'];

export function tone(hz = 880) {
    const context = new AudioContext({ sampleRate: 48000 });
    const output = context.createMediaStreamDestination();
    output.channelCount = 1;
    const volume = new GainNode(context, { gain: 0.25 });
    const oscillator = new OscillatorNode(context, { frequency: hz });
    oscillator.connect(volume).connect(output);
    oscillator.start();
    return output.stream.getAudioTracks()[0];
}

export function picture([width, height] = [320, 240], rate = 15) {
    const canvas = new OffscreenCanvas(width, height);
    const surface = canvas.getContext('2d', { willReadFrequently: true });
    const generator = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = generator.writable.getWriter();
    let number = 0;
    const timer = setInterval(() => {
        if (generator.readyState === 'ended') return clearInterval(timer);
        draw(surface, width, height, Date.now() >>> 0, ++number & 0xffff);
        writer.write(new VideoFrame(canvas, { timestamp: performance.now() * 1000 })).catch(() => {});
    }, 1000 / rate);
    return generator;
}

function draw(surface, width, height, time, number) {
    for (let i = 0; i < BARS.length; i++) fill(surface, BARS[i], width, height, BARS.length, 1, i, 0);
    const rest = (number << 16 | check(time, number)) >>> 0;
    [time, rest].forEach((bits, row) => {
        for (let i = 0; i < COLUMNS; i++) {
            const colour = bits >>> (COLUMNS - 1 - i) & 1 ? '#ffffff' : '#000000';
            fill(surface, colour, width, height, COLUMNS, ROWS, i, ROWS - 2 + row);
        }
    });
}

function fill(surface, colour, width, height, columns, rows, column, row) {
    const left = Math.floor(width * column / columns), top = Math.floor(height * row / rows);
    surface.fillStyle = colour;
    surface.fillRect(left, top, Math.ceil(width / columns), Math.ceil(height / rows));
}

// CRC-16/CCITT over the 32 bits of the time and the 16 of the number.
function check(time, number) {
    let value = 0xffff;
    for (let i = 47; i >= 0; i--) {
        const bit = i >= 16 ? time >>> (i - 16) & 1 : number >>> i & 1;
        value = value << 1 & 0xffff ^ ((value >>> 15 ^ bit) & 1 ? 0x1021 : 0);
    }
    return value;
}
