// A telephone in a web page, to call jcall from and to be called by it:
//
//   buttons --> propose, proceed ... (XEP-0353) --> session-initiate, session-accept --> server
//   microphone, camera <--> RTCPeerConnection <== ICE, DTLS-SRTP ==> the other phone
//
// XMPP and Jingle are stanza's; sound and pictures are the browser's own. One call at a time.
import { createClient, JID } from 'stanza';
import { initiationMessages, NS_INITIATION } from './initiation.js';

const RING_SECONDS = 60;

let client;
let contacts = [];
const present = new Map(); // whose devices are online: bare address to a set of addresses
let call = null; // { id, peer, media, state, session, timer }
//                  state: calling, starting | ringing, accepted | session

const element = id => document.getElementById(id);
const tell = text => { element('status').textContent = text; };
const bare = jid => JID.toBare(jid);

// ---- login and contacts -----------------------------------------------------------------------------

element('login').addEventListener('submit', event => {
    event.preventDefault();
    const { jid, password, websocket } = Object.fromEntries(new FormData(event.target));
    tell('Logging in ...');
    let refused = false;
    client = createClient({
        jid, password, resource: 'web-phone', autoReconnect: false,
        transports: { websocket: websocket || true, bosh: false },
        jingle: { iceServers: [] }, // those of the account's server are asked for
    });
    client.stanzas.define(initiationMessages);
    client.disco.addFeature(NS_INITIATION);
    client.on('session:started', online);
    client.on('auth:failed', () => { refused = true; });
    client.on('disconnected', () => tell(refused ? 'The server does not know this address with this password.'
        : client.config.autoReconnect ? 'The connection is lost. Trying again ...'
            : 'The server cannot be reached. Is its WebSocket right?'));
    client.on('message', heard);
    client.on('message:error', ({ from }) => call?.state === 'calling' && from === call.peer
        && ended(`${call.peer} cannot be reached.`));
    client.on('available', ({ from }) => appear(from, true));
    client.on('unavailable', ({ from }) => appear(from, false));
    client.on('carbon:sent', carbon => heard(carbon.carbon.forward.message));
    client.on('roster:update', ({ roster }) => changeContacts(roster.items));
    client.on('subscribe', ({ from }) => {
        if (!confirm(`May ${bare(from)} see you and call you?`)) return client.denySubscription(from);
        client.acceptSubscription(from);
        client.subscribe(bare(from));
    });
    client.on('jingle:incoming', incoming);
    client.on('jingle:ringing', session => session === call?.session && tell(`It rings at ${call.peer}.`));
    client.on('jingle:terminated', (session, reason) => session === call?.session
        && ended(`The call is over${[undefined, 'success'].includes(reason?.condition)
            ? '' : ` (${reason.condition})`}.`));
    client.connect();
});

async function online() {
    client.config.autoReconnect = true;
    present.clear();
    await client.enableCarbons();
    await client.discoverICEServers();
    client.config.rosterVer = undefined; // all of them, not what is new
    contacts = [];
    changeContacts((await client.getRoster()).items);
    client.updateCaps();
    client.sendPresence({ legacyCapabilities: client.disco.getCaps() });
    element('login').hidden = true;
    element('contacts').hidden = false;
    tell(`You can be called at ${bare(client.jid)}.`);
}

function changeContacts(items) {
    contacts = [...contacts.filter(({ jid }) => !items.some(item => item.jid === jid)),
        ...items.filter(({ subscription }) => subscription !== 'remove')]
        .sort((one, other) => one.jid.localeCompare(other.jid));
    showContacts();
}

function appear(jid, here) {
    const devices = present.get(bare(jid)) ?? new Set();
    devices[here ? 'add' : 'delete'](jid);
    present.set(bare(jid), devices);
    showContacts();
}

function showContacts() {
    element('roster').replaceChildren(...contacts.map(({ name, jid, subscription }) => {
        const row = document.createElement('li');
        const who = document.createElement('span');
        const state = document.createElement('small');
        state.textContent = present.get(jid)?.size ? 'online'
            : ['both', 'to'].includes(subscription) ? 'not online' : 'has not agreed yet';
        who.append(name ? `${name} (${jid})` : jid, state);
        row.append(who, button('Call', () => place(jid, ['audio'])),
            button('Video', () => place(jid, ['audio', 'video'])));
        return row;
    }));
}

function button(text, act) {
    const made = document.createElement('button');
    made.textContent = text;
    made.addEventListener('click', act);
    return made;
}

element('dial').addEventListener('submit', event => {
    event.preventDefault();
    const { to } = Object.fromEntries(new FormData(event.target));
    const way = event.submitter?.value;
    if (way === 'add') {
        client.subscribe(to);
        tell(`${to} is asked. You can call each other when that is agreed.`);
    } else place(to, way === 'video' ? ['audio', 'video'] : ['audio']);
});

// ---- message initiation (XEP-0353) --------------------------------------------------------------------

const say = (to, type, id, more = {}) => client.sendMessage({
    to, type: 'chat', initiation: { type, id, ...more }, processingHints: { store: true },
});

function place(to, media) {
    if (call) return;
    begin({ id: crypto.randomUUID(), peer: bare(to), media, state: 'calling' });
    say(call.peer, 'propose', call.id, { media });
    tell(`Calling ${call.peer} ...`);
}

function heard({ from, initiation, delay }) {
    if (!initiation || delay || from === client.jid) return;
    const own = JID.equalBare(from, client.jid);
    if (!own && initiation.type === 'propose') return proposed(from, initiation);
    if (initiation.id !== call?.id || (!own && bare(from) !== bare(call.peer))) return;
    if (own && call.state === 'ringing') return ended('Another device of yours has answered.');
    if (own) return;
    const acts = {
        ringing: () => call.state === 'calling' && tell(`It rings at ${call.peer}.`),
        proceed: () => call.state === 'calling' && start(from),
        reject: () => call.state === 'calling' && ended(`${call.peer} does not take the call.`),
        retract: () => call.state === 'ringing' && ended(`${bare(call.peer)} has given up.`),
    };
    acts[initiation.type]?.();
}

function proposed(from, { id, media = ['audio'] }) {
    if (call) return say(from, 'reject', id, { reason: { condition: 'busy' } });
    begin({ id, peer: from, media, state: 'ringing' });
    say(from, 'ringing', id);
    tell(`${bare(from)} calls${media.includes('video') ? ' with video' : ''}.`);
}

// ---- the session ----------------------------------------------------------------------------------------

async function start(to) {
    const { id, media } = update({ peer: to, state: 'starting' });
    const stream = await devices(media);
    if (call?.id !== id) return stop(stream);
    join(client.jingle.createMediaSession(to, id), stream);
    tell(`Connecting with ${bare(to)} ...`);
    await call.session.start();
}

function incoming(session) {
    const awaited = call?.state === 'accepted' && session.sid === call.id;
    if (awaited && session.peerID === call.peer) return accept(session);
    if (call) return session.decline();
    const media = ['audio', ...(session.includesVideo ? ['video'] : [])];
    begin({ id: session.sid, peer: session.peerID, media, state: 'ringing', session });
    session.ring();
    tell(`${bare(session.peerID)} calls${session.includesVideo ? ' with video' : ''}.`);
}

async function answer(media) {
    update({ state: 'accepted', answered: media });
    if (call.session) return accept(call.session); // it came without a proposal
    say(bare(client.jid), 'accept', call.id); // for devices that know no carbons
    say(call.peer, 'proceed', call.id);
    tell(`Connecting with ${bare(call.peer)} ...`);
}

async function accept(session) {
    const { id, answered } = call;
    const stream = await devices(answered);
    if (call?.id !== id) return stop(stream);
    join(session, stream);
    await session.accept();
}

function join(session, stream) {
    update({ state: 'session', session, stream });
    stream.getTracks().forEach(track => session.addTrack(track, stream));
    element('mine').srcObject = stream;
    const theirs = element('theirs').srcObject = new MediaStream();
    session.pc.getReceivers().forEach(({ track }) => theirs.addTrack(track));
    session.pc.addEventListener('track', ({ track }) => theirs.addTrack(track));
    session.pc.addEventListener('connectionstatechange', () => {
        const { connectionState } = session.pc;
        if (connectionState === 'connected') tell(`Talking with ${bare(session.peerID)}.`);
        if (connectionState === 'failed') end();
    });
}

// A microphone is needed; a camera is not.
async function devices(media) {
    const wanted = { audio: true, video: media.includes('video') };
    try {
        return await navigator.mediaDevices.getUserMedia(wanted)
            .catch(() => navigator.mediaDevices.getUserMedia({ audio: true }));
    } catch {
        tell('The browser gives no microphone to this page.');
        return new MediaStream();
    }
}

// ---- the call's beginning and end -----------------------------------------------------------------------

function begin(fields) {
    element('mute').setAttribute('aria-pressed', false);
    call = { ...fields, timer: setTimeout(expire, RING_SECONDS * 1000) };
    show();
}

function update(fields) {
    if (['session', 'accepted'].includes(fields.state)) clearTimeout(call.timer);
    Object.assign(call, fields);
    show();
    return call;
}

function expire() {
    if (call.state === 'ringing') return ended(`You have missed a call of ${bare(call.peer)}.`);
    end();
    tell('Nobody answers.');
}

function end() {
    const { state, id, peer, session } = call;
    if (session) return state === 'ringing' ? session.decline() : session.end();
    if (state === 'ringing') say(peer, 'reject', id, { reason: { condition: 'busy' } });
    else say(bare(peer), 'retract', id, { reason: { condition: 'cancel' } });
    ended(state === 'ringing' ? 'You have declined.' : 'You have hung up.');
}

function ended(text) {
    clearTimeout(call.timer);
    if (call.stream) stop(call.stream);
    element('mine').srcObject = element('theirs').srcObject = null;
    call = null;
    show();
    tell(text);
}

const stop = stream => stream.getTracks().forEach(track => track.stop());

function show() {
    const rings = call?.state === 'ringing';
    element('call').hidden = !call;
    element('contacts').hidden = Boolean(call);
    element('answer').hidden = !rings;
    element('answer-video').hidden = !rings || !call.media.includes('video');
    element('mute').hidden = call?.state !== 'session';
    element('end').textContent = rings ? 'Decline' : 'Hang up';
    document.title = rings ? 'A call! - Web phone' : 'Web phone';
    ring(rings);
    showPictures();
}

function showPictures() {
    const seen = element('theirs').videoWidth || element('mine').videoWidth;
    element('stage').classList.toggle('voice', !seen);
}

element('theirs').addEventListener('resize', showPictures);
element('mine').addEventListener('resize', showPictures);

// A second of tone, two of silence.
let bell = null;
function ring(on) {
    if (on === Boolean(bell)) return;
    if (!on) {
        bell.close();
        bell = null;
        return;
    }
    bell = new AudioContext();
    const tone = new OscillatorNode(bell, { frequency: 425 });
    const loudness = new GainNode(bell, { gain: 0 });
    for (let at = 0; at < RING_SECONDS; at += 3) {
        loudness.gain.setValueAtTime(0.1, at).setValueAtTime(0, at + 1);
    }
    tone.connect(loudness).connect(bell.destination);
    tone.start();
}

element('answer').addEventListener('click', () => answer(['audio']));
element('answer-video').addEventListener('click', () => answer(['audio', 'video']));
element('end').addEventListener('click', end);
element('mute').addEventListener('click', ({ target }) => {
    const muted = target.getAttribute('aria-pressed') !== 'true';
    target.setAttribute('aria-pressed', muted);
    call.stream.getAudioTracks().forEach(track => { track.enabled = !muted; });
});
