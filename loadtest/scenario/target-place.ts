import { parseReplicaUrl } from '../../gateway/settings/replica-place.ts';

/** What was wanted where a text is no URL of a target. */
export const wantedUrl = 'an http or https URL without a query and without a name in front of its host';

/** Where a URL of a target leads, and what the target is called where it was given no name; null for what is none. */
export function placeOf(text: string): { readonly url: string; readonly name: string } | null {
  const parsed = parseReplicaUrl(text);
  if (parsed === null || parsed.place.socketPath !== null) return null;
  return { url: parsed.place.origin + parsed.place.basePath, name: parsed.defaultId };
}
