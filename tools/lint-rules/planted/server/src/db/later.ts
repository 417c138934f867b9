// Allowed: promises that are waited for, returned, or let go on purpose.
export async function later(): Promise<void> {
  await Promise.resolve();
}

export async function waits(): Promise<void> {
  await later();
  void later();
  return later();
}

export interface Db {
  query(text: string): Promise<number[]>;
}
