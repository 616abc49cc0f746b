// The other end of a call, inside a browser: XMPP and Jingle by the library stanza, sound and
// pictures by the browser itself (libwebrtc).
//
//   a test --> peer.login(), .propose(), .call(), .answer() ... --> stanza --> Prosody's WebSocket
//   a test <-- tellTest('{"event": ...}') <-- what comes of it
//
// Its libraries, and the messages of XEP-0353, are those of examples/web_phone.
import { createClient, JID } from 'stanza';
import { initiationMessages, NS_INITIATION } from './initiation.js';
import * as source from './source.js';
import { Watcher } from './watcher.js';

const tell = (event, fields = {}) => window.tellTest(JSON.stringify({ event, ...fields }));
const tellStanza = (event, xml) => /^<(iq|message|presence)/.test(xml) && tell(event, { xml });
window.addEventListener('error', e => tell('fault', { text: e.message }));
window.addEventListener('unhandledrejection', e => tell('fault', { text: String(e.reason?.stack ?? e.reason) }));

let client, session, watcher, options;

// ---- login --------------------------------------------------------------------------------------

async function login(given) {
    options = { trickle: true, ...given };
    client = createClient({
        jid: options.jid,
        resource: options.resource,
        password: options.password,
        transports: { websocket: options.websocket, bosh: false },
        autoReconnect: false,
        // the library's own default is a public STUN server
        jingle: { iceServers: options.iceServers ?? [], trickleIce: options.trickle },
    });
    client.stanzas.define(initiationMessages);
    client.disco.addFeature(NS_INITIATION);
    client.on('raw:outgoing', xml => tellStanza('sent', String(xml)));
    client.on('raw:incoming', xml => tellStanza('received', String(xml)));
    client.on('message', heardMessage);
    client.on('carbon:sent', carbon => heardMessage(carbon.carbon.forward.message));
    client.on('jingle:incoming', incoming);
    client.on('jingle:ringing', () => tell('ringing'));
    for (const info of ['accepted', 'mute', 'unmute', 'hold', 'resumed'])
        client.on(`jingle:${info}`, () => tell(info));
    client.on('jingle:hold', () => speak(false)); // XEP-0167, 8.2
    client.on('jingle:resumed', () => speak(true));
    client.on('jingle:terminated', (_, reason) => tell('ended', { reason: reason?.condition ?? '' }));
    client.on('iq', iq => {
        if (iq.type === 'error' && iq.from === session?.peerID)
            tell('refused', { condition: iq.error?.condition, jingle: iq.error?.jingleError });
    });
    await new Promise((resolve, reject) => {
        client.once('session:started', resolve);
        client.once('auth:failed', () => reject(new Error('login refused')));
        client.once('disconnected', () => reject(new Error('no connection to the server')));
        client.connect();
    });
    await client.enableCarbons();
    await client.getRoster();
    client.updateCaps();
    client.sendPresence({ legacyCapabilities: client.disco.getCaps() });
    return client.jid;
}

// ---- message initiation ---------------------------------------------------------------------------

const messageTo = (to, type, id, more = {}) => client.sendMessage({
    to, type: 'chat', initiation: { type, id, ...more }, processingHints: { store: true },
});

function heardMessage({ from, initiation, delay }) {
    if (!initiation || delay) return;
    const own = JID.equalBare(from, client.jid);
    if (own && from === client.jid) return;
    tell(own ? `own-${initiation.type}` : initiation.type, {
        from, id: initiation.id, media: initiation.media, reason: initiation.reason?.condition ?? '',
    });
    if (initiation.type === 'propose' && !own) messageTo(from, 'ringing', initiation.id);
}

async function propose(to, media) {
    const id = crypto.randomUUID();
    messageTo(to, 'propose', id, { media });
    return id;
}

const accept = (own, id) => messageTo(own, 'accept', id); // for devices that know no carbons
const proceed = (to, id) => messageTo(to, 'proceed', id);
const reject = (to, id, condition = 'busy') => messageTo(to, 'reject', id, { reason: { condition } });
const retract = (to, id) => messageTo(to, 'retract', id, { reason: { condition: 'cancel' } });

// ---- a session ------------------------------------------------------------------------------------

async function call(to, { media = ['audio'], codecs = {}, sid } = {}) {
    adopt(client.jingle.createMediaSession(to, sid));
    await send(media);
    prefer(codecs);
    await session.start();
}

function incoming(s) {
    adopt(s);
    const media = [s.includesAudio && 'audio', s.includesVideo && 'video'].filter(Boolean);
    tell('incoming', { from: s.peerID, sid: s.sid, media });
}

async function answer({ media = ['audio'], codecs = {} } = {}) {
    await send(media);
    for (const transceiver of session.pc.getTransceivers())
        if (!media.includes(transceiver.receiver.track.kind)) transceiver.stop();
    prefer(codecs);
    await session.accept();
}

async function send(media) {
    for (const kind of media) {
        const track = kind === 'audio' ? source.tone(options.tone) : source.picture(options.size);
        await session.addTrack(track, new MediaStream([track]));
    }
}

// Those codecs and no others, apart from what goes with them.
function prefer(codecs) {
    for (const transceiver of session.pc.getTransceivers()) {
        const { kind } = transceiver.receiver.track;
        if (!codecs[kind]) continue;
        const wanted = [codecs[kind], 'rtx', 'telephone-event'].map(name => `${kind}/${name}`.toLowerCase());
        transceiver.setCodecPreferences(RTCRtpReceiver.getCapabilities(kind).codecs
            .filter(codec => wanted.includes(codec.mimeType.toLowerCase())));
    }
}

// libwebrtc says goodbye (RTCP BYE) when it stops to send.
async function speak(on) {
    for (const sender of session.pc.getSenders()) {
        const parameters = sender.getParameters();
        for (const encoding of parameters.encodings) encoding.active = on;
        await sender.setParameters(parameters);
    }
}

function adopt(s) {
    session = s;
    const { pc } = s;
    if (!options.trickle) gatherFirst(s);
    takeRestarts(s);
    watcher = new Watcher(pc, document.getElementById('remote'));
    pc.addEventListener('connectionstatechange', () => tell(pc.connectionState));
    pc.addEventListener('icegatheringstatechange', () => tell(`gathering-${pc.iceGatheringState}`));
}

// Candidates inside session-initiate and session-accept: stanza turns what createOffer() gives into
// Jingle before it sets it, so what createOffer() gives has to be complete.
function gatherFirst(s) {
    const { pc } = s;
    const set = pc.setLocalDescription.bind(pc);
    const complete = () => new Promise(resolve => {
        const look = () => pc.iceGatheringState === 'complete' && resolve();
        pc.addEventListener('icegatheringstatechange', look);
        look();
    });
    for (const name of ['createOffer', 'createAnswer']) {
        const create = pc[name].bind(pc);
        pc[name] = async given => {
            await set(await create(given));
            await complete();
            return pc.localDescription;
        };
    }
    pc.setLocalDescription = async () => {};
    s.onIceCandidate = s.onIceEndOfCandidates = () => {};
}

// stanza answers a restart of ICE only in a session that the other side began; one that it began
// itself it ends. Conversations and Monal take it in both, by libwebrtc: it is an offer with the
// description that the other side has given, whoever offered before. So does this page.
function takeRestarts(s) {
    const { pc } = s;
    const known = s.onTransportInfo.bind(s);
    s.onTransportInfo = async (changes, done) => {
        const { usernameFragment, password, candidates } = changes.contents[0].transport;
        const last = pc.remoteDescription;
        const restarts = last?.type === 'answer' && pc.signalingState === 'stable' && password
            && !candidates?.length && !last.sdp.includes(`a=ice-ufrag:${usernameFragment}\r\n`);
        if (!restarts) return known(changes, done);
        const sdp = last.sdp
            .replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, '')
            .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${usernameFragment}`)
            .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${password}`)
            .replace(/^a=setup:.*$/gm, 'a=setup:actpass');
        await pc.setRemoteDescription({ type: 'offer', sdp });
        const answer = await pc.createAnswer();
        sendCredentials(s, changes.contents.map(content => content.name), answer.sdp);
        await pc.setLocalDescription(answer);
        await s.processBufferedCandidates();
        done();
    };
}

function sendCredentials(s, names, sdp) {
    const value = name => sdp.match(new RegExp(`^a=${name}:(.*)\r$`, 'm'))[1];
    s.send('transport-info', {
        contents: names.map(name => ({
            creator: 'initiator',
            name,
            transport: {
                transportType: s.transportType,
                usernameFragment: value('ice-ufrag'),
                password: value('ice-pwd'),
            },
        })),
    });
}

// ---- what a test calls ----------------------------------------------------------------------------

window.peer = {
    login, propose, accept, proceed, reject, retract, call, answer,
    ring: () => session.ring(),
    decline: () => session.decline(),
    hangUp: (reason = 'success') => session.end(reason),
    hold: async () => { await session.hold(); await speak(false); },
    resume: async () => { await session.resume(); await speak(true); },
    mute: () => session.mute('initiator', session.pc.getTransceivers()[0].mid),
    unmute: () => session.unmute('initiator', session.pc.getTransceivers()[0].mid),
    restartIce: () => session.restartIce(),
    statistics: () => watcher.statistics(),
    tone: () => watcher.tone(),
    silence: () => watcher.silence(),
    picture: () => watcher.picture(),
    state: () => session?.pc.connectionState,
    leave: () => client?.disconnect(),
};
