/** What stands in a field of a form: password managers fill fields without telling anybody, so it is read at the end. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}
