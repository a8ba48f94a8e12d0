import { styleText } from 'node:util';
import type { Section } from './sections.ts';
import { printable } from './wording.ts';

/** A report as plain text for a terminal or a pipe; only colour differs between the two. */
export function renderText(sections: readonly Section[], { isColoured }: { readonly isColoured: boolean }): string {
  const paint = (format: 'bold' | 'dim' | 'red' | 'green', text: string): string =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  const verdicts = (text: string): string =>
    text
      .replace(/\b(?:INVALID|FAILS)\b/, (word) => paint('red', word))
      .replace(/\b(?:VALID|holds)\b/, (word) => paint('green', word));
  return sections
    .map(({ title, lines, table }) => {
      const rows = alignedRows(table).map((row, at) => (at === 0 ? paint('dim', row) : row));
      return [
        paint('bold', verdicts(printable(title))),
        ...lines.map((line) => `  ${verdicts(printable(line))}`),
        ...rows,
        '',
      ].join('\n');
    })
    .join('\n');
}

/** Names to the left, figures to the right. */
function alignedRows(table: readonly (readonly string[])[]): string[] {
  const cells = table.map((row) => row.map(printable));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells.map((row) => {
    const padded = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${padded.join('  ')}`.trimEnd();
  });
}
