// breaks: no-unsafe-return
export function go(): string {
  return JSON.parse('1');
}
