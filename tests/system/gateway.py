"""A gateway to telephones: an external component (XEP-0114) whose people have no resource, played
by a script as Peer is. The telephones know G.711 and telephone-event only."""

import slixmpp
from media import Media
from peer import DTLS, ICE, JINGLE, MESSAGE, RTP, Peer

DISCO = "http://jabber.org/protocol/disco#info"
SECRET = "between-us"
DOMAIN = "gateway.localhost"
SERVER = ("--component", f"{DOMAIN}:{SECRET}")
FEATURES = (JINGLE, RTP, RTP.replace(":rtp:1", ":rtp:audio"), DTLS, ICE)


class Component(slixmpp.ComponentXMPP):
    def __init__(self, peer, server):
        super().__init__(DOMAIN, SECRET, server.host, server.component_port)
        self.peer = peer
        self.add_filter("in", lambda stanza: self.peer.received(stanza))


def is_(xml, name):
    return xml.tag.endswith("}" + name)


class Gateway(Peer):
    """`number`: the JID of the telephone that it plays."""

    def __init__(self, server, number="+15551234", *, hz=660):
        self.number = f"{number}@{DOMAIN}"
        super().__init__(server, number, acknowledge=False)
        self.media = Media(self.loop, hz)

    def _connect(self, server, jid, password, features):
        self.client = Component(self, server)
        self.client.loop = self.loop
        self.client.add_event_handler("session_start", lambda _: self.online.set())
        self.client.connect()

    def received(self, stanza):
        super().received(stanza)
        xml = stanza.xml
        if is_(xml, "handshake"):
            return stanza
        if is_(xml, "iq") and xml.get("type") in ("set", "get"):
            self._answer(xml)
        return None

    def _answer(self, iq):
        head = f"<iq id='{iq.get('id')}' from='{iq.get('to')}' to='{iq.get('from')}' type="
        if iq.find(f"{{{JINGLE}}}jingle") is not None:
            self.client.send_raw(head + "'result'/>")
        elif iq.find(f"{{{DISCO}}}query") is not None:
            features = "".join(f"<feature var='{one}'/>" for one in FEATURES)
            self.client.send_raw(head + f"'result'><query xmlns='{DISCO}'>"
                                 "<identity category='client' type='sms' name='A telephone'/>"
                                 f"{features}</query></iq>")
        else:
            self.client.send_raw(head + "'error'><error type='cancel'><service-unavailable "
                                 "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")

    def stop(self):
        self.media.stop()
        super().stop()

    # -- stanzas of the telephone --

    def message(self, to, inside, type_=None):
        """Cheogram's have no type."""
        kind = f" type='{type_}'" if type_ else ""
        self.send(f"<message from='{self.number}' to='{to}'{kind}>{inside}</message>")

    def jingle(self, to, action, sid, inside=""):
        self.send(f"<iq type='set' from='{self.number}' to='{to}' id='{action}-{sid}'>"
                  f"<jingle xmlns='{JINGLE}' action='{action}' sid='{sid}'>{inside}</jingle></iq>")

    def propose(self, to, sid):
        self.message(to, f"<propose xmlns='{MESSAGE}' id='{sid}'>"
                         f"<description xmlns='{RTP}' media='audio'/></propose>")

    def content(self, name, setup, events_type):
        media = self.media
        candidates = "".join(
            f"<candidate component='1' foundation='{one.foundation}' generation='0' id='c{i}' "
            f"ip='{one.ip}' network='0' port='{one.port}' priority='{one.priority}' "
            "protocol='udp' type='host'/>" for i, one in enumerate(media.candidates))
        return (f"<content creator='initiator' name='{name}' senders='both'>"
                f"<description xmlns='{RTP}' media='audio'>"
                "<payload-type id='0' name='PCMU' clockrate='8000'/>"
                f"<payload-type id='{events_type}' name='telephone-event' clockrate='8000'/>"
                "<rtcp-mux/></description>"
                f"<transport xmlns='{ICE}' ufrag='{media.ufrag}' pwd='{media.pwd}'>{candidates}"
                f"<fingerprint xmlns='{DTLS}' hash='sha-256' setup='{setup}'>{media.fingerprint}"
                "</fingerprint></transport></content>")

    # -- whole steps of a call --

    def await_offer(self):
        """The next session-initiate to the telephone: (its sender, its <jingle/>)."""
        iq = self.await_jingle("session-initiate")
        assert iq.get("to") == self.number
        return iq.get("from"), iq.find(f"{{{JINGLE}}}jingle")

    def accept(self, to, offer):
        content = offer.find(f"{{{JINGLE}}}content")
        events = payload(content, "telephone-event")
        assert payload(content, "PCMU") == "0" and events
        self.jingle(to, "session-accept", offer.get("sid"),
                    self.content(content.get("name"), "active", events))
        self.connect(offer, False, events)

    def offer(self, to, sid):
        self.jingle(to, "session-initiate", sid, self.content("audio", "actpass", 101))

    def await_answer(self):
        iq = self.await_jingle("session-accept")
        answer = iq.find(f"{{{JINGLE}}}jingle")
        assert payload(answer.find(f"{{{JINGLE}}}content"), "telephone-event") == "101"
        self.connect(answer, True, 101)

    def connect(self, theirs, controlling, events_type):
        content = theirs.find(f"{{{JINGLE}}}content")
        transport = content.find(f"{{{ICE}}}transport")
        fingerprint = transport.find(f"{{{DTLS}}}fingerprint")
        self.media.connect(
            ufrag=transport.get("ufrag"), pwd=transport.get("pwd"),
            candidates=candidates(transport), fingerprint=fingerprint.text,
            controlling=controlling, dtls_client=fingerprint.get("setup") != "active",
            payload_type=0, channels=1, codec="PCMU", events_type=int(events_type))


def payload(content, name, clock_rate="8000"):
    """The number of a payload type; None if it is not there."""
    for one in content.iter(f"{{{RTP}}}payload-type"):
        if one.get("name") == name and one.get("clockrate") == clock_rate:
            return one.get("id")
    return None


def candidates(transport):
    """As lines of SDP."""
    return [" ".join([c.get("foundation"), c.get("component"), c.get("protocol"),
                      c.get("priority"), c.get("ip"), c.get("port"), "typ", c.get("type")])
            for c in transport.iter(f"{{{ICE}}}candidate")
            if c.get("protocol") == "udp" and ":" not in c.get("ip")]
