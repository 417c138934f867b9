// breaks: switch-exhaustiveness-check
export function go(state: 'sent' | 'failed'): void {
  switch (state) {
    case 'sent':
      throw new Error('sent');
  }
}
