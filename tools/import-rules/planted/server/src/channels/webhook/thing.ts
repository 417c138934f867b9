export const webhookThing = 'webhook';
