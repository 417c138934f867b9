// breaks: no-unnecessary-type-assertion
export function go(value: string): string {
  return value as string;
}
