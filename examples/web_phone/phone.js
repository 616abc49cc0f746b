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
    client = createClient({
        jid, password, resource: 'web-phone', autoReconnect: true,
        transports: { websocket: websocket || true, bosh: false },
        jingle: { iceServers: [] }, // those of the account's server are asked for
    });
    client.stanzas.define(initiationMessages);
    client.disco.addFeature(NS_INITIATION);
    client.on('session:started', online);
    client.on('auth:failed', () => tell('The server does not take this password.'));
    client.on('disconnected', () => tell('There is no connection to the server.'));
    client.on('message', heard);
    client.on('carbon:sent', carbon => heard(carbon.carbon.forward.message));
    client.on('roster:update', showContacts);
    client.on('subscribe', ({ from }) => {
        if (!confirm(`May ${bare(from)} see you and call you?`)) return client.denySubscription(from);
        client.acceptSubscription(from);
        client.subscribe(bare(from));
    });
    client.on('jingle:incoming', incoming);
    client.on('jingle:ringing', session => session === call?.session && tell(`It rings at ${call.peer}.`));
    client.on('jingle:terminated', (session, reason) => session === call?.session
        && ended(`The call is over${reason?.condition ? ` (${reason.condition})` : ''}.`));
    client.connect();
});

async function online() {
    await client.enableCarbons();
    await client.discoverICEServers();
    await showContacts();
    client.updateCaps();
    client.sendPresence({ legacyCapabilities: client.disco.getCaps() });
    element('login').hidden = true;
    element('contacts').hidden = false;
    tell(`You can be called at ${bare(client.jid)}.`);
}

async function showContacts() {
    const { items = [] } = await client.getRoster();
    element('roster').replaceChildren(...items.map(contact => {
        const row = document.createElement('li');
        const name = document.createElement('span');
        name.textContent = contact.name ? `${contact.name} (${contact.jid})` : contact.jid;
        row.append(name, button('Call', () => place(contact.jid, ['audio'])),
            button('Video', () => place(contact.jid, ['audio', 'video'])));
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
    if (way === 'add') client.subscribe(to);
    else place(to, way === 'video' ? ['audio', 'video'] : ['audio']);
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

function proposed(from, { id, media }) {
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
    if (call?.state === 'accepted' && session.sid === call.id) return accept(session);
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
}

element('answer').addEventListener('click', () => answer(['audio']));
element('answer-video').addEventListener('click', () => answer(['audio', 'video']));
element('end').addEventListener('click', end);
element('mute').addEventListener('click', ({ target }) => {
    const muted = target.getAttribute('aria-pressed') !== 'true';
    target.setAttribute('aria-pressed', muted);
    call.stream.getAudioTracks().forEach(track => { track.enabled = !muted; });
});
