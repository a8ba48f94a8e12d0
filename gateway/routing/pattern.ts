const compiled = new Map<string, RegExp>();

/** Whether a text fits a pattern from the configuration, in which `*` stands for any characters, also none. Patterns must come from the configuration alone: each is kept. */
export function matchesPattern(pattern: string, text: string): boolean {
  if (pattern === text || pattern === '*') return true;
  if (!pattern.includes('*')) return false;
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    const escaped = pattern.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replaceAll('*', '.*');
    expression = new RegExp(`^${escaped}$`, 's');
    compiled.set(pattern, expression);
  }
  return expression.test(text);
}
