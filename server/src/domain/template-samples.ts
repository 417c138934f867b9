import type { TemplateComponent } from './template-definition.ts';
import type { TemplateAccount, TemplateRefusal } from './template-provider.ts';
import { asList, asRecord, componentsOf, formatOf, typeOf } from './template-shape.ts';

/**
 * Samples of headers that are files. WhatsApp wants a handle of an upload of its own; a definition may name a file that is stored
 * here instead (`example.media_id`), which is uploaded when the template is submitted.
 */
export interface TemplateSample {
  /** Our id of the file. */
  media_id: string;
  /** IMAGE, VIDEO or DOCUMENT. */
  format: string;
  /** Where it is named. */
  field: string;
}

/** The files that a definition names, those of its cards among them. @param field what the request calls the components. */
export function samplesOf(components: readonly TemplateComponent[], field = 'components'): TemplateSample[] {
  return components.flatMap((component, i) => {
    const at = `${field}[${i}]`;
    if (typeOf(component) === 'CAROUSEL') {
      return asList(component['cards']).flatMap((card, n) =>
        samplesOf(componentsOf(asRecord(card)), `${at}.cards[${n}].components`),
      );
    }
    const media_id = mediaOf(component);
    return media_id === null ? [] : [{ media_id, format: formatOf(component), field: `${at}.example.media_id` }];
  });
}

/** The same definition with the handles of uploads in the place of our ids. */
export function withHandles(
  components: readonly TemplateComponent[],
  handles: ReadonlyMap<string, string>,
): TemplateComponent[] {
  return components.map((component) => {
    if (typeOf(component) === 'CAROUSEL') {
      const cards = asList(component['cards']).map((card) => {
        const one = asRecord(card);
        return { ...one, components: withHandles(componentsOf(one), handles) };
      });
      return { ...component, cards };
    }
    const handle = handles.get(mediaOf(component) ?? '');
    return handle === undefined ? component : { ...component, example: { header_handle: [handle] } };
  });
}

function mediaOf(component: TemplateComponent): string | null {
  if (typeOf(component) !== 'HEADER') return null;
  const { media_id } = asRecord(component['example']);
  return typeof media_id === 'string' ? media_id : null;
}

/** A file that goes up. */
export interface SampleFile {
  filename: string;
  mime_type: string;
  size: number;
  bytes: AsyncIterable<Uint8Array>;
}

/** What came of an upload. */
export type SampleOutcome =
  | { kind: 'uploaded'; handle: string }
  | { kind: 'refused'; refusal: TemplateRefusal }
  | { kind: 'later'; detail: string; retryAfter: null };

/** The contract of a provider that takes samples. Never throws. */
export interface SampleUploader {
  /** @param app the provider's id of the app; null: that of the account's token. */
  upload(account: TemplateAccount, app: string | null, file: SampleFile, ending: AbortSignal): Promise<SampleOutcome>;
  close(): Promise<void>;
}
