export type ChannelsThing = 'channels';
export const channelsThing: ChannelsThing = 'channels';
