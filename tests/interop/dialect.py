"""What clients that cannot be run here have in common: libwebrtc behind a thin mapping of SDP. Each
of dialects.py says where it differs. What is sent is XML as text; `check_...` raise an assertion
where the client would end the call."""

import re

from peer import DTLS, ICE, JINGLE, MESSAGE, RTP

GROUP = "urn:xmpp:jingle:apps:grouping:0"
FB = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0"
HDREXT = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0"
SSMA = "urn:xmpp:jingle:apps:rtp:ssma:0"
TRICKLE = "http://gultsch.de/xmpp/drafts/jingle/transports/ice-udp/option"
OMEMO = "http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification"
RECEIPTS = "urn:xmpp:receipts"
HINTS = "urn:xmpp:hints"
INFO = "urn:xmpp:jingle:apps:rtp:info:1"
STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"


def contents(jingle):
    return jingle.findall(f"{{{JINGLE}}}content")


def description(content):
    return content.find(f"{{{RTP}}}description")


def transport(content):
    return content.find(f"{{{ICE}}}transport")


def fingerprint(content):
    return transport(content).find(f"{{{DTLS}}}fingerprint")


def payloads(content):
    return description(content).findall(f"{{{RTP}}}payload-type")


def candidates(jingle, components=("1",)):
    """As SDP lines, those that a client with UDP and these components can use."""
    return [" ".join([c.get("foundation"), c.get("component"), c.get("protocol"), c.get("priority"),
                      c.get("ip"), c.get("port"), "typ", c.get("type")])
            for c in jingle.iter(f"{{{ICE}}}candidate")
            if c.get("protocol") == "udp" and c.get("component") in components]


def group(jingle):
    found = jingle.find(f"{{{GROUP}}}group")
    return [] if found is None else [c.get("name") for c in found]


def element(message):
    """Of message initiation."""
    return next(child for child in message if child.tag.startswith(f"{{{MESSAGE}}}"))


class Dialect:
    name = "?"
    messages = True        # message initiation (XEP-0353)
    hints = True           # ... with hints that it be stored
    rings = False          # ... which says that it rings
    finishes = False       # ... and that it is over
    initiator = False      # writes who it is
    audio = "audio"        # the name of its content
    opus = ("111", "opus")
    setup = "actpass"
    late_candidates = False  # in transport-info only
    feedback = ""
    features = (JINGLE, RTP, RTP.replace(":rtp:1", ":rtp:audio"),
                RTP.replace(":rtp:1", ":rtp:video"), DTLS, ICE, MESSAGE)
    sid = "8c1b2a5e-5a1e-4c6f-9f52-3a5f0c6e7d11"
    answers = {}           # to which action, how; a result is not named here

    # -- message initiation --

    def message(self, to, name, sid, inside="", after=""):
        store = f"<store xmlns='{HINTS}'/>" if self.hints else ""
        return (f"<message type='chat' to='{to}' id='{self.message_id(name, sid)}'>"
                f"<{name} xmlns='{MESSAGE}' id='{sid}'>{inside}</{name}>{store}{after}</message>")

    def message_id(self, name, sid):
        return f"{self.name}-{name}"

    def propose(self, to, media=("audio",)):
        inside = "".join(f"<description xmlns='{RTP}' media='{one}'/>" for one in media)
        return self.message(to, "propose", self.sid, inside, self.request())

    def request(self):
        return ""

    def proceed(self, to, sid):
        """With what it says first."""
        rings = [self.message(to, "ringing", sid)] if self.rings else []
        return [*rings, self.message(to, "proceed", sid, self.device())]

    def device(self):
        return ""

    def check_propose(self, message, me):
        assert message.get("to") == me.split("/")[0], "not for all devices"
        assert message.get("type") == "chat"
        assert message.find(f"{{{HINTS}}}store") is not None, "invisible to QXmpp"
        assert message.find(f"{{{RECEIPTS}}}request") is not None, "Conversations does not ring"
        media = [one.get("media") for one in element(message)]
        assert media == ["audio"], f"{media}: it takes only what was proposed"

    def check_proceed(self, message, me):
        assert message.get("to") == me, "it must be addressed to the device"
        assert message.get("type") == "chat"
        assert message.find(f"{{{HINTS}}}store") is not None, "invisible to QXmpp"
        assert len(element(message)) == 0, "<device/>: then the fingerprint comes encrypted"

    # -- answers to IQs --

    def replies(self, iq):
        """To one that came. None, or two, are to be borne."""
        jingle = iq.find(f"{{{JINGLE}}}jingle")
        if jingle is None or iq.get("type") != "set":
            return []
        return [self.reply(iq, how)
                for how in self.answers.get(jingle.get("action"), ("result",))]

    def reply(self, iq, how):
        """`how`: "result", a condition, or "400" as it was once written."""
        to = f"to='{iq.get('from')}' id='{iq.get('id')}'"
        if how == "result":
            return f"<iq type='result' {to}/>"
        inside = (f"<error code='{how}'/>" if how.isdigit() else
                  f"<error type='cancel'><{how} xmlns='{STANZA_ERRORS}'/></error>")
        return f"<iq type='error' {to}>{inside}</iq>"

    # -- offers and answers --

    def candidate(self, media, index, candidate):
        return (f"<candidate component='1' foundation='{candidate.foundation}' generation='0' "
                f"id='c{index}' ip='{candidate.ip}' network='0' port='{candidate.port}' "
                f"priority='{candidate.priority}' protocol='udp' type='host'/>")

    def all_candidates(self, media):
        return "".join(self.candidate(media, i, c) for i, c in enumerate(media.candidates))

    def transport(self, media, setup, inside=""):
        return (f"<transport xmlns='{ICE}' ufrag='{media.ufrag}' pwd='{media.pwd}'>{inside}"
                f"<fingerprint xmlns='{DTLS}' hash='sha-256' setup='{setup}'>"
                f"{self.fingerprint(media)}</fingerprint></transport>")

    def fingerprint(self, media):
        return media.fingerprint

    def description(self, media, answer):
        number, name = answer or self.opus
        return (f"<description xmlns='{RTP}' media='audio'>"
                f"<payload-type id='{number}' name='{name}' clockrate='48000' channels='2'>"
                f"<parameter name='useinbandfec' value='1'/>{self.feedback}</payload-type>"
                f"{self.extras(media, answer)}<rtcp-mux/></description>")

    def extras(self, media, answer):
        return ""

    def content(self, media, name, setup, answer=None):
        inside = "" if self.late_candidates else self.all_candidates(media)
        return (f"<content creator='initiator' name='{name}'{self.senders()}>"
                f"{self.description(media, answer)}{self.transport(media, setup, inside)}"
                f"</content>")

    def senders(self):
        return " senders='both'"

    def groups(self, names):
        return (f"<group xmlns='{GROUP}' semantics='BUNDLE'>"
                + "".join(f"<content name='{name}'/>" for name in names) + "</group>")

    def iq(self, to, action, sid, inside, who="", mark=""):
        """`mark` begins its id."""
        return (f"<iq type='set' to='{to}' id='{mark}{action}-{self.name}'>"
                f"<jingle xmlns='{JINGLE}' action='{action}' sid='{sid}'{who}>{inside}"
                f"</jingle></iq>")

    def who(self, me, to, offers):
        if not self.initiator:
            return ""
        return f" initiator='{me}'" if offers else f" responder='{me}'"

    def offer(self, me, to, media, pictures=None):
        """`pictures`: the media of video that is offered, too."""
        names = [self.audio] + ([self.video] if pictures else [])
        video = self.video_content(pictures, self.video, self.setup) if pictures else ""
        return self.iq(to, "session-initiate", self.sid, self.groups(names)
                       + self.content(media, self.audio, self.setup) + video,
                       self.who(me, to, True))

    def answer(self, me, to, media, offer):
        """To our offer, a <jingle/>."""
        content = contents(offer)[0]
        opus = next(p for p in payloads(content) if p.get("name").lower() == "opus")
        return self.iq(to, "session-accept", offer.get("sid"),
                       (self.groups([content.get("name")]) if group(offer) else "")
                       + self.content(media, content.get("name"), "active",
                                      (opus.get("id"), opus.get("name"))),
                       self.who(me, to, False))

    def early(self, me, to, sid, name, media):
        """What comes before an offer or answer."""
        return []

    def trickle(self, me, to, sid, name, media):
        """What follows by transport-info."""
        if not self.late_candidates:
            return []
        return [self.transport_info(me, to, sid, name, i, self.transport_of(
                    media, self.candidate(media, i, one)))
                for i, one in enumerate(media.candidates)]

    def transport_of(self, media, inside):
        return (f"<transport xmlns='{ICE}' ufrag='{media.ufrag}' pwd='{media.pwd}'>"
                f"{inside}</transport>")

    def transport_info(self, me, to, sid, name, number, transport):
        return self.iq(to, "transport-info", sid, f"<content creator='initiator' name='{name}'>"
                       f"{transport}</content>", mark=f"{number}-")

    # -- in the call, and at its end --

    def in_call(self, me, to, sid, name, media):
        """What it says while people talk."""
        return []

    def hang_up(self, to, sid, name, reason="success"):
        """All that it says then."""
        inside = f"<reason><{reason}/></reason>" if reason else ""
        finish = self.message(to, "finish", sid,
                              inside.replace("<reason", f"<reason xmlns='{JINGLE}'"))
        return [self.iq(to, "session-terminate", sid, inside), *([finish] if self.finishes else [])]

    # -- video that is added to a call --

    video = "video"

    def video_content(self, media, name, setup, number="96"):
        """`media` None: an empty transport, which rides in the bundle."""
        transport = (f"<transport xmlns='{ICE}'/>" if media is None
                     else self.transport(media, setup, self.all_candidates(media)))
        return (f"<content creator='initiator' name='{name}'{self.senders()}>"
                f"<description xmlns='{RTP}' media='video'>"
                f"<payload-type id='{number}' name='VP8' clockrate='90000'>"
                f"<rtcp-fb xmlns='{FB}' type='nack' subtype='pli'/></payload-type>"
                f"<rtcp-mux/></description>{transport}</content>")

    bundles = True
    empty = True  # and then the transport of what is added

    def video_media(self, media, another):
        """Of what is added: none, that of the voice, or `another()`."""
        if not self.bundles:
            return another()
        return None if self.empty else media

    def add_video(self, me, to, sid, names, media):
        return self.iq(to, "content-add", sid, self.groups(names) + self.video_content(
            media, self.video, self.setup), self.who(me, to, True))

    def accept_video(self, me, to, add, names, media):
        """To our content-add, with what it says before."""
        content = contents(add)[0]
        number = next(p.get("id") for p in payloads(content) if p.get("name") == "VP8")
        return [self.iq(to, "content-accept", add.get("sid"),
                        (self.groups(names) if group(add) else "") + self.video_content(
                            media, content.get("name"), "active", number))]

    added_senders = "both"  # of what it adds

    def check_video(self, jingle, names, senders="both"):
        """Our content-add or content-accept."""
        assert len(contents(jingle)) == 1, "one content in such a stanza"
        content = contents(jingle)[0]
        assert content.get("name") == names[-1]
        assert content.get("senders", "both") == senders
        assert [p.get("name") for p in payloads(content)][0] == "VP8"
        if self.bundles:
            assert group(jingle) == names, "no group of all names"
        else:
            assert transport(content).get("ufrag") and fingerprint(content) is not None

    # -- what it refuses --

    def check_offer(self, offer):
        self.check_common(offer)
        for content in contents(offer):
            assert fingerprint(content).get("setup") == "actpass", "security-error"

    def check_transport_info(self, jingle):
        """All bear one candidate; some no second one."""
        assert len(contents(jingle)) == 1
        found = transport(contents(jingle)[0])
        assert len(found) <= 1, "it reads the first candidate only"
        assert found.get("ufrag") and found.get("pwd")

    def check_answer(self, answer, offered):
        self.check_common(answer)
        assert [c.get("name") for c in contents(answer)] == offered, "contents in another order"
        setups = {fingerprint(c).get("setup") for c in contents(answer)}
        assert setups in ({"active"}, {"passive"}), f"setup {setups}"
        assert group(answer) == offered, "no group for a group"

    def check_common(self, jingle):
        assert contents(jingle), "no contents"
        for content in contents(jingle):
            name = content.get("name")
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,16}", name), f"a mid of libwebrtc: {name}"
            assert content.get("creator") == "initiator"
            assert transport(content).get("ufrag") and transport(content).get("pwd")
            assert re.fullmatch("([0-9A-F]{2}:){31}[0-9A-F]{2}", fingerprint(content).text)
            assert fingerprint(content).get("hash") == "sha-256"
            assert description(content).find(f"{{{RTP}}}rtcp-mux") is not None, "no rtcp-mux"
            for payload in payloads(content):
                assert payload.get("id").isdigit() and payload.get("clockrate").isdigit()
                assert payload.get("name") and " " not in payload.get("name")
            for parameter in description(content).iter():
                if parameter.tag.endswith("}parameter"):
                    assert parameter.get("name"), "a parameter without a name"
                    assert parameter.get("value"), "a parameter without a value"
                    assert " " not in parameter.get("name") + parameter.get("value")
            for candidate in transport(content).findall(f"{{{ICE}}}candidate"):
                for attribute in ("foundation", "component", "protocol", "priority", "ip", "port",
                                  "type", "id", "generation"):
                    assert candidate.get(attribute), f"a candidate without {attribute}"
