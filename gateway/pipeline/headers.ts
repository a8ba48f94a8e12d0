/** Headers by their names in lower case. Lines of the same name are joined by Node, `set-cookie` apart. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Headers as Node writes them fastest: name, value, name, value. */
export type HeaderList = string[];

/** The value of a header, the first where there are several. */
export function headerOf(headers: Headers, name: string): string | null {
  const value = headers[name];
  if (value === undefined) return null;
  return typeof value === 'string' ? value : (value[0] ?? null);
}

/** The value in a list, or null; `name` in lower case. */
export function headerInList(list: HeaderList, name: string): string | null {
  for (let at = 0; at + 1 < list.length; at += 2) if (list[at]?.toLowerCase() === name) return list[at + 1] ?? null;
  return null;
}

/** The list without the headers that are not wanted; names are judged in lower case. */
export function withoutHeaders(list: HeaderList, isUnwanted: (name: string) => boolean): HeaderList {
  const kept: HeaderList = [];
  for (let at = 0; at + 1 < list.length; at += 2) {
    const [name = '', value = ''] = [list[at], list[at + 1]];
    if (!isUnwanted(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}
