// breaks: no-base-to-string
export function go(value: object): string {
  return `got ${value}`;
}
