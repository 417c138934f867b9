// breaks: noRestrictedGlobals
export function answer(url: string): Promise<unknown> {
  return fetch(url);
}
