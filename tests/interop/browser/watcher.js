// What the browser hears and sees: the remote tracks, played and looked at, and getStats().
export class Watcher {
    constructor(pc, video) {
        this.pc = pc;
        this.video = video;
        this.video.srcObject = new MediaStream();
        pc.addEventListener('track', ({ track }) => this.add(track));
        // of an incoming offer, which is applied before anybody looks
        for (const { receiver } of pc.getTransceivers())
            if (pc.remoteDescription) this.add(receiver.track);
    }

    add(track) {
        if (this.video.srcObject.getTrackById(track.id)) return;
        this.video.srcObject.addTrack(track); // sound is decoded only if something plays it
        if (track.kind !== 'audio') return;
        const context = new AudioContext({ sampleRate: 48000 });
        this.analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
        const input = context.createMediaStreamSource(new MediaStream([track]));
        input.connect(this.analyser);
        this.listen(context, input);
    }

    // Counts what is heard in samples, which a busy page does not make longer.
    listen(context, input) {
        const ear = context.createScriptProcessor(1024, 1, 1);
        this.quiet = this.longest = 0;
        this.heard = false;
        ear.onaudioprocess = ({ inputBuffer }) => {
            const loud = inputBuffer.getChannelData(0).some(sample => Math.abs(sample) > 0.01);
            this.heard ||= loud;
            this.quiet = loud || !this.heard ? 0 : this.quiet + inputBuffer.duration;
            this.longest = Math.max(this.longest, this.quiet);
        };
        input.connect(ear).connect(context.destination);
        this.ear = ear; // or it is collected
    }

    // Seconds of the longest silence after the first sound.
    silence() {
        return this.longest ?? 0;
    }

    // The loudest frequency of the last third of a second, and its level (1: full scale).
    tone() {
        if (!this.analyser) return { hz: 0, level: 0 };
        const bins = new Float32Array(this.analyser.frequencyBinCount);
        this.analyser.getFloatFrequencyData(bins);
        const width = this.analyser.context.sampleRate / this.analyser.fftSize;
        let loudest = Math.ceil(100 / width);
        for (let i = loudest; i < bins.length; i++) if (bins[i] > bins[loudest]) loudest = i;
        return { hz: loudest * width, level: 10 ** (bins[loudest] / 20) };
    }

    // Their picture of this moment: a PNG file in base64.
    picture() {
        const { videoWidth: width, videoHeight: height } = this.video;
        const canvas = Object.assign(document.createElement('canvas'), { width, height });
        canvas.getContext('2d').drawImage(this.video, 0, 0);
        return canvas.toDataURL('image/png').split(',')[1];
    }

    // { transport, audio: { in, out, reported }, video: likewise }; `reported` is by the other's RTCP.
    async statistics() {
        const stats = await this.pc.getStats();
        const found = {
            audio: { in: {}, out: {}, reported: {} },
            video: { in: {}, out: {}, reported: {} },
            transport: {},
        };
        for (const one of stats.values()) {
            const slot = { 'inbound-rtp': 'in', 'outbound-rtp': 'out', 'remote-inbound-rtp': 'reported' }[one.type];
            if (slot && !this.busier(found[one.kind][slot], one))
                found[one.kind][slot] = { ...one, codec: stats.get(one.codecId)?.mimeType.split('/')[1] };
            if (one.type === 'transport') found.transport = this.transport(stats, one);
        }
        return found;
    }

    busier(known, other) {
        const packets = one => one.packetsReceived ?? one.packetsSent ?? -1;
        return known.type && packets(known) > packets(other);
    }

    transport(stats, one) {
        const pair = stats.get(one.selectedCandidatePairId);
        const end = id => {
            const { candidateType, protocol, address, usernameFragment } = stats.get(id) ?? {};
            return { type: candidateType, protocol, address, ufrag: usernameFragment };
        };
        return { ...one, local: end(pair?.localCandidateId), remote: end(pair?.remoteCandidateId) };
    }
}
