import assert from 'node:assert/strict';

/** Fails with every place that breaks a rule, one a line, under the rule itself. */
export function assertNone(found: readonly string[], rule: string): void {
  assert.ok(
    found.length === 0,
    `${rule}; ${found.length} ${found.length === 1 ? 'breaks' : 'break'} it:\n  ${found.join('\n  ')}`,
  );
}
