// breaks: no-unsafe-call
export function go(): void {
  JSON.parse('1')();
}
