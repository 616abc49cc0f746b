-- Lets every client look like one that knows neither DTLS-SRTP nor message initiation, for tests:
-- takes these features out of what clients answer, and the hash of all features out of presence.
local hidden = {
	["urn:xmpp:jingle:apps:dtls:0"] = true;
	["urn:xmpp:jingle-message:0"] = true;
};

module:hook("pre-iq/full", function(event)
	local query = event.stanza:get_child("query", "http://jabber.org/protocol/disco#info");
	if not query then return; end
	query:maptags(function(tag) return not hidden[tag.attr.var] and tag or nil; end);
end, 1000);

for _, to in ipairs({ "full", "bare", "host" }) do
	module:hook("pre-presence/" .. to, function(event)
		event.stanza:maptags(function(tag) return tag.name ~= "c" and tag or nil; end);
	end, 1000);
end
