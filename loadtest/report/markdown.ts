import type { Section } from './sections.ts';
import { printable } from './wording.ts';

/** A report as Markdown, for a pull request or a page of notes. */
export function renderMarkdown(sections: readonly Section[]): string {
  return sections.map((section, at) => renderSection(section, at === 0 ? '#' : '##')).join('\n');
}

function renderSection({ title, lines, table }: Section, mark: string): string {
  const [head = [], ...rows] = table;
  const rule = head.map((_, column) => (column === 0 ? ':--' : '--:'));
  return [
    `${mark} ${plain(title)}`,
    '',
    ...lines.map((line) => `- ${plain(line)}`),
    ...(lines.length > 0 ? [''] : []),
    ...(table.length === 0 ? [] : [...[head, rule, ...rows].map((row) => `| ${row.map(plain).join(' | ')} |`), '']),
  ].join('\n');
}

/** Text that Markdown would take for markup, marked as text. */
function plain(text: string): string {
  return printable(text).replaceAll(/[\\`*_[\]<>|#]/g, (sign) => `\\${sign}`);
}
