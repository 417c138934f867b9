export type InboundThing = 'inbound';
export const inboundThing: InboundThing = 'inbound';
