/**
 * Whether the recipient of message `m` gets none of a category: an expression for statements that let a message go once more. What
 * is accepted or waits is looked at elsewhere; this is for what was on its way when its recipient opted out.
 * @param category an expression, too.
 */
export const refuses = (category: string): string => `exists (
    select from contact_identities c
    where c.tenant_id = m.tenant_id and c.value = m.address
      and c.kind = case when m.address like '+%' then 'phone' else 'bsuid' end
      and c.suppressed & case ${category} when 'marketing' then 3 else 2 end <> 0)`;
