-- Writes down every stanza that a client sends, for tests: a line each, sender first, in the file
-- stanzas.txt beside the data.
local path = require "util.paths".join(prosody.paths.data, "..", "stanzas.txt");

local function keep(event)
	local text = tostring(event.stanza):gsub("%s+", " ");
	local file = assert(io.open(path, "a"));
	file:write(event.origin.full_jid or "?", " ", text, "\n");
	file:close();
end

for _, kind in ipairs({ "iq", "message", "presence" }) do
	for _, to in ipairs({ "full", "bare", "host", "self" }) do
		module:hook("pre-" .. kind .. "/" .. to, keep, 2000);
	end
end
