// breaks: no-unsafe-member-access
export function go(): void {
  if (JSON.parse('{}').member) throw new Error('no');
}
