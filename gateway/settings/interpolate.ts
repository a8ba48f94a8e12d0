/** The environment that `${NAME}` reads from. */
export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$(?:\$|\{([A-Za-z_]\w*)(?::-([^}]*))?\})/g;

/** Replaces `${NAME}` and `${NAME:-default}` in a text; `$$` is a dollar. Told each variable that is needed and not set. What a variable holds is not read again. */
export function interpolate(text: string, environment: Environment, onUnset: (name: string) => void): string {
  return text.replace(reference, (_whole, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) return '$';
    const value = environment[name];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) onUnset(name);
    return value ?? '';
  });
}
