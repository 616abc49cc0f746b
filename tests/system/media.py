"""The media half of a scripted peer: real ICE, DTLS and SRTP (aiortc), behind whatever XML a test
writes. It says a tone and listens; all of it runs on an asyncio loop of somebody else's."""

import asyncio
import fractions
import math
import struct
import threading

import aioice.ice
import av
import numpy
from aiortc import (RTCCertificate, RTCDtlsParameters, RTCDtlsTransport, RTCIceGatherer,
                    RTCIceParameters, RTCIceTransport, RTCRtpReceiver, RTCRtpSender)
from aiortc.codecs import g711, opus
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError
from aiortc.rtcdtlstransport import RTCDtlsFingerprint
from aiortc.rtcicetransport import candidate_from_aioice
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from aiortc.rtcrtpparameters import (RTCRtcpParameters, RTCRtpCodecParameters,
                                     RTCRtpEncodingParameters,
                                     RTCRtpReceiveParameters, RTCRtpSendParameters)
from aiortc.rtp import RtpPacket

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"] if use_ipv4 else []

RATE = 48000
FRAME = RATE // 50


class Tone(AudioStreamTrack):
    """A sine, in real time."""

    def __init__(self, hz):
        super().__init__()
        self.hz = hz
        self.at = 0
        self.began = None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.began = self.began or loop.time()
        await asyncio.sleep(max(0, self.began + self.at / RATE - loop.time()))
        angles = 2 * math.pi * self.hz * (self.at + numpy.arange(FRAME)) / RATE
        samples = (8000 * numpy.sin(angles)).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(numpy.repeat(samples, 2).reshape(1, -1), format="s16",
                                           layout="stereo")
        frame.sample_rate, frame.time_base, frame.pts = RATE, fractions.Fraction(1, RATE), self.at
        self.at += FRAME
        return frame


class Media:
    """One transport with a voice on it."""

    def __init__(self, loop, hz, ssrc=1234567):
        self.loop = loop
        self.hz = hz
        self.ssrc = ssrc
        self.pieces = []
        self.heard = []  # Hz of each piece of sound that is not silence
        self.events = {}  # RFC 4733: timestamp to [event, duration, packets that say its end]
        self.changed = threading.Condition()
        self.tasks = []
        self._wait(self._gather())

    def _wait(self, coroutine, timeout=30):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    async def _gather(self):
        self.gatherer = RTCIceGatherer(iceServers=[])
        await self.gatherer.gather()
        self.ice = RTCIceTransport(self.gatherer)
        self.dtls = RTCDtlsTransport(self.ice, [RTCCertificate.generateCertificate()])
        self.ufrag = self.gatherer.getLocalParameters().usernameFragment
        self.pwd = self.gatherer.getLocalParameters().password
        self.fingerprint = self.dtls.getLocalParameters().fingerprints[0].value
        self.candidates = self.gatherer.getLocalCandidates()

    def connect(self, *, ufrag, pwd, candidates, fingerprint, controlling, dtls_client,
                payload_type, channels=2, codec="opus", events_type=None):
        """Begins; `candidates` are SDP lines without their name. More may be added."""
        clock_rate = RATE if codec == "opus" else 8000
        voice = RTCRtpCodecParameters(mimeType=f"audio/{codec}", clockRate=clock_rate,
                                      channels=channels, payloadType=payload_type)
        self._wait(self._connect(ufrag, pwd, candidates, fingerprint, controlling, dtls_client,
                                 voice, events_type))

    async def _connect(self, ufrag, pwd, candidates, fingerprint, controlling, dtls_client,
                       codec, events_type):
        if events_type is not None:
            self._take_events(events_type)
        self.ice._connection.ice_controlling = controlling
        self.dtls._set_role("client" if dtls_client else "server")
        for line in candidates:
            await self._add(line)
        self.tasks.append(asyncio.ensure_future(
            self._run(ufrag, pwd, fingerprint, codec)))

    async def _add(self, line):
        candidate = candidate_from_aioice(aioice.Candidate.from_sdp(line))
        candidate.sdpMid = "0"
        await self.ice.addRemoteCandidate(candidate)

    def add_candidate(self, line):
        self._wait(self._add(line))

    def _take_events(self, payload_type):
        """aiortc knows no telephone-event: its packets are taken out before the others go on."""
        voice = self.dtls._handle_rtp_data

        async def handle(data, arrival_time_ms):
            packet = RtpPacket.parse(data)
            if packet.payload_type == payload_type:
                self._take_event(packet)
            else:
                await voice(data, arrival_time_ms)

        self.dtls._handle_rtp_data = handle

    def _take_event(self, packet):
        number, flags, duration = struct.unpack("!BBH", packet.payload)
        with self.changed:
            event = self.events.setdefault(packet.timestamp, [number, 0, 0])
            assert event[0] == number and event[1] <= duration, "another event at the same time"
            event[1] = duration
            event[2] += flags >> 7
            self.changed.notify_all()

    def await_digits(self, digits, timeout=30):
        """Waits until exactly these digits have come, each to its end."""
        def come():
            whole = [event for _, event in sorted(self.events.items()) if event[2]]
            return "".join("0123456789*#ABCD"[event[0]] for event in whole)
        with self.changed:
            right = self.changed.wait_for(lambda: len(come()) >= len(digits), timeout)
            assert right and come() == digits, f"not {digits} but {come()}; {self._state()}"

    async def _run(self, ufrag, pwd, fingerprint, codec):
        await self.ice.start(RTCIceParameters(usernameFragment=ufrag, password=pwd))
        await self.dtls.start(RTCDtlsParameters(
            fingerprints=[RTCDtlsFingerprint(algorithm="sha-256", value=fingerprint)]))
        self.receiver = RTCRtpReceiver("audio", self.dtls)
        self.receiver._track = RemoteStreamTrack(kind="audio")
        await self.receiver.receive(RTCRtpReceiveParameters(
            codecs=[codec], headerExtensions=[],
            encodings=[], muxId=""))
        self.sender = RTCRtpSender(Tone(self.hz), self.dtls)
        self.sender._ssrc = self.ssrc
        await self.sender.send(RTCRtpSendParameters(
            codecs=[codec], headerExtensions=[],
            encodings=[RTCRtpEncodingParameters(ssrc=self.ssrc, payloadType=codec.payloadType)],
            rtcp=RTCRtcpParameters(cname="peer", ssrc=self.ssrc, mux=True), muxId=""))
        await self._listen()

    async def _listen(self):
        while True:
            try:
                self._hear(await self.receiver.track.recv())
            except MediaStreamError:
                return

    def _hear(self, frame):
        samples = frame.to_ndarray().reshape(-1)[::len(frame.layout.channels)].astype(float)
        self.pieces.append(samples)
        if len(self.pieces) < 10:
            return
        sound = numpy.concatenate(self.pieces)
        self.pieces = []
        spectrum = numpy.abs(numpy.fft.rfft(sound * numpy.hanning(len(sound))))
        if numpy.abs(sound).max() > 500:
            with self.changed:
                self.heard.append(spectrum.argmax() * frame.sample_rate / len(sound))
                self.changed.notify_all()

    def await_tone(self, hz, timeout=30):
        """Waits until a second of this tone was heard from now on."""
        with self.changed:
            first = len(self.heard)
            right = self.changed.wait_for(
                lambda: sum(abs(one - hz) < 15 for one in self.heard[first:]) >= 5, timeout)
            assert right, f"not {hz} Hz but {self.heard[-20:]}; {self._state()}"

    def _state(self):
        return f"DTLS {self.dtls.state}, ICE {self.ice.state}"

    def stop(self):
        async def end():
            for task in self.tasks:
                task.cancel()
            for part in ("sender", "receiver"):
                if hasattr(self, part):
                    await getattr(self, part).stop()
            await self.dtls.stop()
            await self.ice.stop()
        if self.loop.is_running():
            self._wait(end())


class PlainMedia(Media):
    """The same for clients that encrypt nothing: RTP on one component of ICE, RTCP on another."""

    async def _gather(self):
        self.ice = aioice.Connection(ice_controlling=True, components=2, use_ipv6=False)
        await self.ice.gather_candidates()
        self.ufrag, self.pwd = self.ice.local_username, self.ice.local_password
        self.candidates = [candidate_from_aioice(one) for one in self.ice.local_candidates]
        self.reports = 0

    def connect(self, *, ufrag, pwd, candidates, controlling, payload_type, codec="opus"):
        self._wait(self._connect_plain(ufrag, pwd, candidates, controlling, payload_type, codec))

    async def _connect_plain(self, ufrag, pwd, candidates, controlling, payload_type, codec):
        self.ice.ice_controlling = controlling
        self.ice.remote_username, self.ice.remote_password = ufrag, pwd
        for line in candidates:
            await self.ice.add_remote_candidate(aioice.Candidate.from_sdp(line))
        await self.ice.add_remote_candidate(None)
        self.tasks.append(asyncio.ensure_future(self._run_plain(payload_type, codec)))

    async def _run_plain(self, payload_type, codec):
        await self.ice.connect()
        self.tasks.append(asyncio.ensure_future(self._speak(payload_type, codec)))
        decoder = opus.OpusDecoder() if codec == "opus" else g711.PcmuDecoder()
        while True:
            data, component = await self.ice.recvfrom()
            if component == 2:
                assert data[0] == 0x80 + (data[0] & 31) and data[1] in (200, 201), "no report"
                self.reports += 1
                continue
            packet = RtpPacket.parse(data)
            if packet.payload_type == payload_type and packet.payload:
                for frame in decoder.decode(JitterFrame(packet.payload, packet.timestamp)):
                    self._hear(frame)

    async def _speak(self, payload_type, codec):
        tone = Tone(self.hz)
        encoder = opus.OpusEncoder() if codec == "opus" else g711.PcmuEncoder()
        packet = RtpPacket(payload_type=payload_type, ssrc=self.ssrc)
        while True:
            payloads, packet.timestamp = encoder.encode(await tone.recv())
            for packet.payload in payloads:
                await self.ice.sendto(packet.serialize(), 1)
                packet.sequence_number = (packet.sequence_number + 1) & 0xffff
            if packet.sequence_number % 50 == 0:
                await self.ice.sendto(struct.pack("!BBHI", 0x80, 201, 1, self.ssrc), 2)

    def _state(self):
        return f"ICE with {self.ice.remote_candidates}"

    def stop(self):
        async def end():
            for task in self.tasks:
                task.cancel()
            await self.ice.close()
        if self.loop.is_running():
            self._wait(end())
