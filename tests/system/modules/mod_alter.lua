-- Tampers with Jingle stanzas on their way, for tests: for each line "ACTION PATTERN REPLACEMENT"
-- of the file alter.txt beside the data, the text of Jingle IQs of that action is changed, by
-- Lua's string.gsub.
local st = require "util.stanza";
local parse = require "util.xml".parse;

local path = require "util.paths".join(prosody.paths.data, "..", "alter.txt");

local function changes(action)
	local found = {};
	local file = io.open(path);
	if not file then return found; end
	for line in file:lines() do
		local wanted, pattern, replacement = line:match("^(%S+) (%S+) (%S*)$");
		if wanted == action then
			table.insert(found, { pattern, replacement });
		end
	end
	file:close();
	return found;
end

module:hook("pre-iq/full", function(event)
	local stanza = event.stanza;
	local jingle = stanza:get_child("jingle", "urn:xmpp:jingle:1");
	if not jingle then return; end
	local list = changes(jingle.attr.action);
	if #list == 0 then return; end
	local text = tostring(stanza);
	for _, change in ipairs(list) do
		text = text:gsub(change[1], change[2]);
	end
	local altered = assert(parse(text));
	altered.attr.xmlns = nil;
	module:log("info", "altered a %s", jingle.attr.action);
	prosody.core_post_stanza(event.origin, st.clone(altered), false);
	return true;
end, 1000);
