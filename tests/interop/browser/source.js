// What the browser says and shows: a tone, and the test picture of the system tests, whose clock and
// colour bars a program can read (tests/system/picture.py). No device is asked for.
const COLUMNS = 32, ROWS = 18;
const BARS = [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0],
              [0, 0, 191], [0, 0, 0]];

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

// In the form that cameras give: luma and chroma of BT.601, of limited range.
export function picture([width, height] = [320, 240], rate = 15) {
    const generator = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = generator.writable.getWriter();
    const planes = makePlanes(width, height);
    BARS.forEach((rgb, i) => fill(planes, rgb, BARS.length, 1, i, 0));
    let number = 0;
    const timer = setInterval(() => {
        if (generator.readyState === 'ended') return clearInterval(timer);
        drawClock(planes, Date.now() >>> 0, ++number & 0xffff);
        writer.write(new VideoFrame(planes.bytes, {
            format: 'I420', codedWidth: width, codedHeight: height,
            timestamp: performance.now() * 1000,
            colorSpace: { matrix: 'smpte170m', primaries: 'smpte170m', transfer: 'smpte170m', fullRange: false },
        })).catch(() => {});
    }, 1000 / rate);
    return generator;
}

function makePlanes(width, height) {
    const bytes = new Uint8Array(width * height * 3 / 2);
    const chroma = width * height / 4;
    return {
        bytes, width, height,
        y: bytes.subarray(0, 4 * chroma),
        u: bytes.subarray(4 * chroma, 5 * chroma),
        v: bytes.subarray(5 * chroma),
    };
}

function drawClock(planes, time, number) {
    const rest = (number << 16 | check(time, number)) >>> 0;
    [time, rest].forEach((bits, row) => {
        for (let i = 0; i < COLUMNS; i++) {
            const level = bits >>> (COLUMNS - 1 - i) & 1 ? 255 : 0;
            fill(planes, [level, level, level], COLUMNS, ROWS, i, ROWS - 2 + row);
        }
    });
}

// One cell of a grid.
function fill({ y, u, v, width, height }, [r, g, b], columns, rows, column, row) {
    const cell = { left: width * column / columns, right: width * (column + 1) / columns,
                   top: height * row / rows, bottom: height * (row + 1) / rows };
    rectangle(y, width, cell, 1, 16 + 0.257 * r + 0.504 * g + 0.098 * b);
    rectangle(u, width / 2, cell, 2, 128 - 0.148 * r - 0.291 * g + 0.439 * b);
    rectangle(v, width / 2, cell, 2, 128 + 0.439 * r - 0.368 * g - 0.071 * b);
}

function rectangle(plane, stride, { left, right, top, bottom }, shrink, value) {
    const from = Math.floor(left / shrink), to = Math.floor(right / shrink);
    for (let line = Math.floor(top / shrink); line < Math.floor(bottom / shrink); line++)
        plane.fill(Math.round(value), line * stride + from, line * stride + to);
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
