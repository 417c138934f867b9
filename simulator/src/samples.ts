import type { JsonObject } from './json.ts';

/** What a customer sends when nobody says what: the smallest file of each kind, as WhatsApp takes it. */
interface SampleFile {
  mime_type: string;
  /** Base64. */
  data: string;
  filename?: string;
}

const FILES: Readonly<Record<string, SampleFile>> = {
  image: {
    mime_type: 'image/png',
    data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgaGAAAAEEAIFw9selAAAAAElFTkSuQmCC',
  },
  video: {
    mime_type: 'video/mp4',
    data: 'AAAAHGZ0eXBtcDQyAAAAAG1wNDJpc29tbXA0MQAAAAhtZGF0',
  },
  audio: {
    mime_type: 'audio/ogg; codecs=opus',
    data: 'T2dnUwACAAAAAAAAAAABAAAAAAAAAAAAAAABE09wdXNIZWFkAQE4AYC7AAAAAAA=',
  },
  document: {
    mime_type: 'application/pdf',
    filename: 'document.pdf',
    data: 'JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZz4+ZW5kb2JqCnRyYWlsZXI8PC9Sb290IDEgMCBSPj4KJSVFT0YK',
  },
  sticker: {
    mime_type: 'image/webp',
    data: 'UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA=',
  },
};

const PAYLOADS: Readonly<Record<string, JsonObject | readonly JsonObject[]>> = {
  location: { latitude: 37.4216, longitude: -122.0848, name: 'Park', address: '1 Main Street' },
  contacts: [
    { name: { first_name: 'Ana', formatted_name: 'Ana' }, phones: [{ phone: '+1 650-555-1234', type: 'CELL' }] },
  ],
  order: {
    catalog_id: '194836987003835',
    text: '',
    product_items: [{ product_retailer_id: 'di9ozbzfi4', quantity: 2, item_price: 30, currency: 'USD' }],
  },
};

export function sampleFile(type: string): SampleFile | undefined {
  return FILES[type];
}

export function samplePayload(type: string): JsonObject | readonly JsonObject[] | undefined {
  return PAYLOADS[type];
}
