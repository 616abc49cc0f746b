"""How clients that cannot be run here speak Jingle: what they send, in what shape and order, and
what they refuse, as read from their sources; which these were is said in docs/interop.md."""

from dialect import (FB, HDREXT, INFO, OMEMO, RECEIPTS, SSMA, TRICKLE, Dialect, contents,
                     description, fingerprint, group, payloads, transport)
from peer import DTLS, ICE, JINGLE, MESSAGE, RTP


class Conversations2023(Dialect):
    name = "conversations-2023"
    audio = "0"
    video = "1"
    late_candidates = True
    sid = "q3x/T+8b1nUwLkM0v2Z7dA"
    feedback = f"<rtcp-fb xmlns='{FB}' type='transport-cc'/>"

    def message_id(self, name, sid):
        return f"jm-{name}-{sid}"

    def request(self):
        return f"<request xmlns='{RECEIPTS}'/>"

    def senders(self):
        return ""

    def device(self):
        return "<device xmlns='" + OMEMO + "' id='27183'/>"

    def candidate(self, media, index, candidate):
        return super().candidate(media, index, candidate).replace(" network='0'", "")

    def extras(self, media, answer):
        hdrext = "" if answer else (
            f"<rtp-hdrext xmlns='{HDREXT}' id='1' "
            "uri='urn:ietf:params:rtp-hdrext:ssrc-audio-level'/>"
            f"<extmap-allow-mixed xmlns='{HDREXT}'/>")
        return (hdrext + f"<source xmlns='{SSMA}' ssrc='{media.ssrc}'>"
                "<parameter name='cname' value='rKd5vV9u'/>"
                "<parameter name='msid' value='my-media-stream'/></source>")


class ConversationsCurrent(Conversations2023):
    """2.19: gives a proposal up after 12 s without a sign of life, and marks its transports."""
    name = "conversations-2.19"
    sid = "q3x_T-8b1nUwLkM0v2Z7dA"
    finishes = True

    def transport(self, media, setup, inside=""):
        return super().transport(media, setup, inside + f"<trickle xmlns='{TRICKLE}'/>"
                                 f"<renomination xmlns='{TRICKLE}'/>")


class Dino(Dialect):
    """A strict parser of its own: no bundle, SDES beside DTLS, two components. It says what it does
    not want by content-modify, before it accepts."""
    name = "dino"
    bundles = False
    hints = False
    answers = {"content-remove": ("feature-not-implemented",)}
    added_senders = "initiator"  # itself

    def groups(self, names):
        return ""

    def device(self):
        return "<device xmlns='" + OMEMO + "' id='31415'/>"

    def extras(self, media, answer):
        return ("<encryption><crypto crypto-suite='AES_CM_128_HMAC_SHA1_80' "
                "key-params='inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj' tag='1'/>"
                "</encryption>")

    def all_candidates(self, media):
        first = super().all_candidates(media)
        second = first.replace("component='1'", "component='2'").replace("id='c", "id='d")
        return first + second

    def modify(self, to, sid, name, senders):
        return self.iq(to, "content-modify", sid,
                       f"<content creator='initiator' name='{name}' senders='{senders}'/>")

    def add_video(self, me, to, sid, names, media):
        return super().add_video(me, to, sid, names, media).replace("senders='both'",
                                                                    "senders='initiator'")

    def accept_video(self, me, to, add, names, media):
        accept, = super().accept_video(me, to, add, names, media)
        return [self.modify(to, add.get("sid"), names[-1], "responder"),
                accept.replace("senders='both'", "senders='responder'")]

    def in_call(self, me, to, sid, name, media):
        return [self.iq(to, "session-info", sid, f"<{what} xmlns='{INFO}' name='{name}' "
                        "creator='initiator'/>", mark=what) for what in ("mute", "unmute")]

    def check_offer(self, offer):
        super().check_offer(offer)
        self.check_plain(offer)

    def check_answer(self, answer, offered):
        self.check_common(answer)
        self.check_plain(answer)
        assert [c.get("name") for c in contents(answer)] == offered
        assert payloads(contents(answer)[0])[0].get("name") == "opus", "it takes the first only"

    def check_plain(self, jingle):
        for content in contents(jingle):
            assert content.get("senders") != "none", "bad-request"
            assert description(content).find(f"{{{RTP}}}encryption") is None, "SDES inside DTLS"


class Monal(Dialect):
    """A converter of its own between SDP and XML, which gives up over what it does not know and
    writes codecs in any order. It says nothing to most of what it hears, and reads one candidate of
    a transport-info."""
    name = "monal"
    sid = "E1B2C3D4-95A0-4C6F-9F52-3A5F0C6E7D11"
    audio = "0"
    video = "1"
    late_candidates = True
    rings = True
    finishes = True
    features = (*Dialect.features, "urn:ietf:rfc:5888", "urn:ietf:rfc:5576", HDREXT, FB, RECEIPTS)
    answers = {action: () for action in ("session-terminate", "session-info", "content-add",
                                         "content-modify", "content-remove", "description-info")}

    def candidate(self, media, index, candidate):
        return (f"<candidate xmlns='{ICE}' id='48151623{index}' component='1' "
                f"foundation='{candidate.foundation}' generation='0' ip='{candidate.ip}' "
                f"port='{candidate.port}' priority='{candidate.priority}' protocol='udp' "
                "rel-addr='0.0.0.0' rel_port='9' type='host'/>")

    def transport(self, media, setup, inside=""):
        return super().transport(media, setup, inside + f"<trickle xmlns='{TRICKLE}'/>"
                                 f"<renomination xmlns='{TRICKLE}'/>")

    def description(self, media, answer):
        number, name = answer or self.opus
        more = "" if answer else ("<payload-type id='126' name='telephone-event' clockrate='8000'/>"
                                  "<payload-type id='0' name='PCMU' clockrate='8000'/>")
        return (f"<description xmlns='{RTP}' media='audio'><extmap-allow-mixed/>"
                f"<rtp-hdrext xmlns='{HDREXT}' id='1' uri='urn:ietf:params:rtp-hdrext:"
                f"ssrc-audio-level'/><rtcp-mux/>{more}<payload-type id='{number}' name='{name}' "
                "clockrate='48000' channels='2'><parameter name='useinbandfec' value='true'/>"
                "<parameter name='minptime' value='10'/>"
                f"<rtcp-fb xmlns='{FB}' type='transport-cc'/></payload-type>"
                f"<source xmlns='{SSMA}' ssrc='{media.ssrc}'><parameter name='cname' value='c'/>"
                "<parameter name='msid' value='-'/></source></description>")

    def video_content(self, media, name, setup, number="96"):
        h264 = ("<payload-type id='98' name='H264' clockrate='90000'><parameter "
                "name='level_asymmetry_allowed' value='true'/><parameter name='profile_level_id' "
                "value='6558751'/></payload-type>")
        return super().video_content(media, name, setup, number).replace(
            "<payload-type", h264 + "<payload-type", 1)

    def replies(self, iq):
        found = iq.find(f".//{{{ICE}}}transport")
        jingle = iq.find(f"{{{JINGLE}}}jingle")
        if jingle is not None and jingle.get("action") == "transport-info" and len(found) != 1:
            return [self.reply(iq, "bad-request")]
        return super().replies(iq)

    def check_common(self, jingle):
        super().check_common(jingle)
        for content in contents(jingle):
            assert content.get("senders") in ("both", "initiator", "responder"), "no such sender"
            for child in description(content).iter():
                name, value = child.tag.split("}")[1], child.get("value")
                assert name != "bandwidth", "read amiss"
                if name == "rtcp-fb":
                    assert child.get("type") in ("ack", "ccm", "nack", "goog-remb", "transport-cc")
                if child.get("name") in ("useinbandfec", "stereo", "usedtx", "cbr"):
                    assert value in ("0", "1", "true", "false"), "it crashes"


class Movim(Dialect):
    """Lines of SDP taken from a browser and put into XML one by one. It names itself as initiator
    and us as responder whoever calls, begins to trickle before it offers or answers, without
    credentials, and answers content-add by session-accept."""
    name = "movim"
    audio = "0"
    video = "1"
    hints = False
    rings = True
    late_candidates = True
    empty = False
    features = (*Monal.features, "urn:ietf:rfc:3264", ICE.replace(":1", ":0"))

    def propose(self, to, media=("audio",)):
        return super().propose(to, sorted(media, reverse=True))

    def who(self, me, to, offers):
        return f" initiator='{me.split('/')[0]}' responder='{to}'"

    def content(self, media, name, setup, answer=None):
        return (f"<content creator='initiator' name='{name}'{self.senders()}>"
                f"{self.transport(media, setup)}{self.description(media, answer)}</content>")

    def extras(self, media, answer):
        return (f"<rtp-hdrext xmlns='{HDREXT}' id='1' uri='urn:ietf:params:rtp-hdrext:"
                f"ssrc-audio-level'/><source xmlns='{SSMA}' ssrc='{media.ssrc}'><parameter "
                "name='msid' value='a b'/><parameter name='cname' value='c'/></source>")

    def candidate(self, media, index, candidate):
        return (f"<candidate foundation='{candidate.foundation}' component='1' protocol='udp' "
                f"priority='{candidate.priority}' ip='{candidate.ip}' port='{candidate.port}' "
                "type='host' generation='0' network-cost='999'/>")

    def early(self, me, to, sid, name, media):
        tcp = self.candidate(media, 0, media.candidates[0]).replace(
            "'udp'", "'tcp' tcptype='active'")
        return [self.transport_info(me, to, sid, name, "early",
                                    f"<transport xmlns='{ICE}'>{tcp}</transport>")]

    def transport_info(self, me, to, sid, name, number, transport):
        text = super().transport_info(me, to, sid, name, number, transport)
        return text.replace(f"sid='{sid}'", f"sid='{sid}'{self.who(me, to, True)}")

    def accept_video(self, me, to, add, names, media):
        content = contents(add)[0]
        number = next(p.get("id") for p in payloads(content) if p.get("name") == "VP8")
        return [self.iq(to, "session-accept", add.get("sid"), self.groups(names)
                        + self.content(media, names[0], "active", self.opus)
                        + self.video_content(media, names[1], "active", number),
                        self.who(me, to, False))]

    def in_call(self, me, to, sid, name, media):
        return [self.iq(to, "session-info", sid, f"<{what} xmlns='{INFO}' name='{name}'/>",
                        mark=what) for what in ("mute", "unmute")]

    def hang_up(self, to, sid, name, reason="success"):
        why = f"<reason xmlns='{JINGLE}'><{reason}/><text>Success</text></reason>"
        return [self.message(to, "finish", sid, why), *super().hang_up(to, sid, name, reason)]


class PsiNext(Dialect):
    """Psi's native calls: an answer has nothing that the offer had not, and hardly more than it
    must."""
    name = "psi-next"
    initiator = True
    audio = "rtp-1"
    rings = True
    finishes = True

    def offer(self, me, to, media, pictures=None):
        return super().offer(me, to, media, pictures).replace("><", ">\n  <")

    def groups(self, names):
        return super().groups(names) if len(names) > 1 else ""

    video = "camera-0123456789abcdef0123456789abcdef"
    bundles = False

    def check_answer(self, answer, offered):
        self.check_common(answer)
        assert [c.get("name") for c in contents(answer)] == offered
        assert not group(answer), "a group that was not offered"
        for content in contents(answer):
            for child in description(content):
                assert child.tag in (f"{{{RTP}}}payload-type", f"{{{RTP}}}rtcp-mux"), child.tag
            for payload in payloads(content):
                assert payload.get("id") == self.opus[0], "a payload type that was not offered"
                for child in payload:
                    assert child.tag == f"{{{RTP}}}parameter", child.tag
            self.check_transport(content)

    def check_offer(self, offer):
        super().check_offer(offer)
        for content in contents(offer):
            self.check_transport(content)

    def check_transport(self, content):
        ids = []
        for child in transport(content):
            if child.tag == f"{{{ICE}}}candidate":
                assert child.get("protocol") == "udp"
                assert child.get("rel-port") != "0", "a related port of 0"
                assert 1 <= int(child.get("priority")) < 2 ** 31
                ids.append(child.get("id"))
            else:
                assert not child.tag.startswith(f"{{{ICE}}}"), child.tag
        assert len(ids) == len(set(ids)), "two candidates with one id"


def again(dialect, to, sid, name, media):
    """All of a content each time that another candidate is found."""
    whole = dialect.content(media, name, dialect.setup)
    some = [dialect.candidate(media, i, one) for i, one in enumerate(media.candidates)]
    return [dialect.iq(to, "transport-info", sid, mark=str(i),
                       inside=whole.replace("".join(some), "".join(some[:i + 1])))
            for i in range(len(some))]


class QXmppNext(Dialect):
    """QXmpp 1.11: no message initiation; it writes OPUS, whole contents again and again, no
    reasons, and answers no session-info."""
    name = "qxmpp-1.11"
    messages = False
    initiator = True
    audio = "microphone"
    opus = ("98", "OPUS")
    features = tuple(f for f in Dialect.features if f != MESSAGE)

    def groups(self, names):
        return ""

    answers = {"session-info": (), "session-terminate": ()}

    def trickle(self, me, to, sid, name, media):
        return again(self, to, sid, name, media)

    def in_call(self, me, to, sid, name, media):
        return again(self, to, sid, name, media)

    def hang_up(self, to, sid, name, reason=""):
        return super().hang_up(to, sid, name, reason)

    def check_answer(self, answer, offered):
        self.check_common(answer)
        assert [c.get("name") for c in contents(answer)] == offered
        assert payloads(contents(answer)[0])[0].get("name") == "OPUS", "compared as it is spelled"


class Liberties(Dialect):
    """Not one client but what one or another does, all at once: white space, an id that is base64,
    fingerprints in small letters, attributes that are missing, candidates of all sorts, a group of
    one, information that nobody needs, and errors to ours."""
    name = "liberties"
    sid = "q3x/T+8b1nUwLkM0v2Z7dA=="
    opus = ("96", "Opus")
    rings = True
    answers = {"session-info": ("result", "400")}

    def fingerprint(self, media):
        return f"\n    {media.fingerprint.lower()}\n  "

    def senders(self):
        return ""

    def candidate(self, media, index, candidate):
        return (f"<candidate component='1' foundation='{candidate.foundation}' ip='{candidate.ip}' "
                f"port='{candidate.port}' priority='{candidate.priority}' protocol='udp' "
                "type='host'/>")

    def all_candidates(self, media):
        one = media.candidates[0]
        first = self.candidate(media, 0, one)
        return ("<gathering-complete/>"
                + first.replace("component='1'", "component='2'")
                + first.replace("protocol='udp'", "protocol='tcp' tcptype='active'").replace(
                    f"port='{one.port}'", "port='0'")
                + first.replace(f"ip='{one.ip}'", "ip='5f1c9e52-7c1d.local'")
                + first + "<remote-candidate component='1' ip='192.0.2.1' port='9'/>")

    def description(self, media, answer):
        return super().description(media, answer).replace(" channels='2'", "")

    def content(self, media, name, setup, answer=None):
        return super().content(media, name, setup, answer).replace(" creator='initiator'", "")

    def iq(self, to, action, sid, inside, who="", mark=""):
        return super().iq(to, action, sid, inside, who, mark).replace("><", ">\n  <")

    def early(self, me, to, sid, name, media):
        """Candidates; then their end by itself."""
        return [self.transport_info(me, to, sid, name, number, self.transport_of(media, inside))
                for number, inside in (("early-1", self.all_candidates(media)),
                                       ("early-2", "<gathering-complete/>"))]

    def in_call(self, me, to, sid, name, media):
        return [self.iq(to, "session-info", sid, what, mark=str(number))
                for number, what in enumerate(("", f"<hold xmlns='{INFO}'/>",
                                               f"<active xmlns='{INFO}'/>"))]

    def hang_up(self, to, sid, name, reason="success"):
        return [self.iq(to, "session-terminate", sid,
                        f"<reason><text>bye</text><{reason}/></reason>")]


ENCRYPTED = [Conversations2023, ConversationsCurrent, Dino, Monal, Movim, PsiNext, QXmppNext,
             Liberties]


class Gajim(Dialect):
    """Gajim 1.7: plain RTP, two components, TCP candidates with port 0. It takes its leave by
    removing the content."""
    name = "gajim-1.7"
    messages = False
    initiator = True
    audio = "voice"
    opus = ("96", "OPUS")
    codec = "opus"
    answers = {"session-info": ("result", "feature-not-implemented")}
    features = (JINGLE, RTP, RTP.replace(":rtp:1", ":rtp:audio"), ICE)

    def groups(self, names):
        return ""

    def candidate(self, media, index, candidate):
        text = super().candidate(media, index, candidate)
        return text.replace("component='1'", f"component='{candidate.component}'")

    def description(self, media, answer):
        number = answer[0] if answer else self.opus[0]
        return (f"<description xmlns='{RTP}' media='audio'>"
                f"<payload-type id='{number}' name='{self.opus[1]}' clockrate='48000'/>"
                "</description>")

    def transport(self, media, setup, inside=""):
        tcp = ("<candidate component='1' foundation='1' generation='0' id='t' ip='127.0.0.1' "
               "network='0' port='0' priority='1' protocol='tcp' type='host'/>")
        return (f"<transport xmlns='{ICE}' ufrag='{media.ufrag}' pwd='{media.pwd}'>{inside}{tcp}"
                "</transport>")

    def after_accept(self, to, sid, name):
        return [self.iq(to, "description-info", sid, f"<content creator='initiator' name='{name}'>"
                        f"{self.description(None, None)}</content>")]

    def hang_up(self, to, sid, name, reason="success"):
        return [self.iq(to, "content-remove", sid,
                        f"<content creator='initiator' name='{name}'/>"),
                *super().hang_up(to, sid, name, reason)]

    def check_offer(self, offer):
        self.check_plain(offer)

    def check_answer(self, answer, offered):
        self.check_plain(answer)
        assert [c.get("name") for c in contents(answer)] == offered, "content does not exist"
        codec = payloads(contents(answer)[0])[0]
        assert codec.get("id") == self.opus[0]
        assert codec.get("name") == self.opus[1], "not spelled as it was offered"

    def check_plain(self, jingle):
        """All of them together: Gajim waits for channels, Psi answers errors to what it does not
        know."""
        assert not group(jingle)
        assert len(contents(jingle)) == 1, "one voice"
        content = contents(jingle)[0]
        assert content.get("creator") == "initiator" and content.get("senders") == "both"
        for payload in description(content):
            assert payload.tag == f"{{{RTP}}}payload-type", payload.tag
            assert len(payload) == 0, "parameters"
            assert set(payload.attrib) <= {"id", "name", "clockrate", "channels"}
            if payload.get("name").lower() == "opus":
                assert payload.get("channels") == "2", "the microphone of Gajim dies of it"
        for candidate in transport(content):
            assert candidate.tag == f"{{{ICE}}}candidate", candidate.tag
        components = {c.get("component") for c in transport(content)}
        assert components == {"1", "2"}, "not all candidates are there"


class PsiOld(Gajim):
    """Psi before its native calls."""
    name = "psi-1.5"
    audio = "A"
    opus = ("97", "opus")
    answers = {"session-info": ("400",)}

    def after_accept(self, to, sid, name):
        return []

    def hang_up(self, to, sid, name, reason="success"):
        return Dialect.hang_up(self, to, sid, name, reason)


class QXmppOld(Gajim):
    """QXmpp 1.10 says everything again with each candidate, and has no reason to go. It knows opus
    as OPUS alone, so an offer of ours leaves G.711."""
    name = "qxmpp-1.10"
    audio = "microphone"
    opus = ("98", "OPUS")
    answers = {"session-info": (), "session-terminate": ()}

    def trickle(self, me, to, sid, name, media):
        return again(self, to, sid, name, media)

    def content(self, media, name, setup, answer=None):
        text = super().content(media, name, setup, answer)
        return text.replace("clockrate='48000'", "clockrate='48000' channels='2'")

    def answer(self, me, to, media, offer):
        text = super().answer(me, to, media, offer)
        number = contents(offer)[0].findall(f".//{{{RTP}}}payload-type[@name='opus']")[0].get("id")
        return text.replace(f"id='{number}' name='OPUS' clockrate='48000' channels='2'",
                            "id='0' name='PCMU' clockrate='8000'")

    def after_accept(self, to, sid, name):
        return []

    def hang_up(self, to, sid, name, reason=""):
        return Dialect.hang_up(self, to, sid, name, reason)


PLAIN = [Gajim, PsiOld, QXmppOld]
