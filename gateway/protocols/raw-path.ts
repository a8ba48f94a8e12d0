import { GatewayError } from '../kernel/errors.ts';

/** A segment of one or two dots, encoded or not, between separators that some server takes for one. */
const dotSegment = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?=$|[/\\;]|%2f|%5c|%3b)/i;

/** The path of a request target (RFC 9112 section 3.2) as it was sent, without its query. */
export function rawPathOf(target: string): string {
  const path = target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const end = path.search(/[?#]/);
  return (end < 0 ? path : path.slice(0, end)) || '/';
}

/** A path that is passed on as it is must mean to the replica what it meant to the route: one that climbs is refused. */
export function refuseDotSegments(rawPath: string): void {
  if (dotSegment.test(rawPath))
    throw new GatewayError('invalid_request', 'path: got one with . or .. in it, wanted one without', {
      field: 'path',
    });
}

/** What is encoded in a part of a path, decoded; one that is encoded wrongly is taken as it stands. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
