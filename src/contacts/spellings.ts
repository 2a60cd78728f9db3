/**
 * Countries whose mobile numbers exist in two forms: as they are dialled today, and as WhatsApp may still keep
 * them. The digits in the middle are the difference.
 */
const twins: { short: RegExp; long: RegExp; middle: string }[] = [
  // Brazil: a 9 after the area code.
  { short: /^(\+55[1-9][1-9])([6-9]\d{7})$/, long: /^(\+55[1-9][1-9])9([6-9]\d{7})$/, middle: '9' },
  // Mexico: a 1 after the country code.
  { short: /^(\+52)([2-9]\d{9})$/, long: /^(\+52)1([2-9]\d{9})$/, middle: '1' },
  // Argentina: a 9 after the country code.
  { short: /^(\+54)([1-8]\d{9})$/, long: /^(\+54)9([1-8]\d{9})$/, middle: '9' },
];

/** All forms in which the same number may come, itself first. What holds for one holds for all of them. */
export function spellingsOf(phone: string): string[] {
  for (const { short, long, middle } of twins) {
    const longer = long.exec(phone);
    if (longer) return [phone, `${longer[1]}${longer[2]}`];
    const shorter = short.exec(phone);
    if (shorter) return [phone, `${shorter[1]}${middle}${shorter[2]}`];
  }
  return [phone];
}
