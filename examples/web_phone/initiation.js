// The messages of XEP-0353, for stanza, which has none:
//
//   client.stanzas.define(initiationMessages)
//   client.sendMessage({ to, type: 'chat', initiation: { type: 'propose', id, media: ['audio'] } })
import { JXT } from 'stanza';

export const NS_INITIATION = 'urn:xmpp:jingle-message:0';
const NS_RTP = 'urn:xmpp:jingle:apps:rtp:1';

export const initiationMessages = [
    ...['propose', 'ringing', 'proceed', 'accept', 'reject', 'retract', 'finish'].map(type => ({
        path: 'message.initiation',
        namespace: NS_INITIATION,
        element: type,
        type,
        typeField: 'type',
        fields: {
            id: JXT.attribute('id'),
            media: JXT.multipleChildAttribute(NS_RTP, 'description', 'media'),
        },
    })),
    JXT.addAlias('urn:xmpp:jingle:1', 'reason', ['message.initiation.reason']),
];
