import type { Reply } from '../pipeline/reply.ts';
import { findMember, skipValue } from './json-skim.ts';
import { rewriteData } from './rewrite-data.ts';

/** Names from the outermost object of an event's data to the value that names the model. */
type MemberPath = readonly string[];

const quote = 0x22;

/** Puts the client's name of the model in the place of the replica's in every event of a stream, and leaves every other byte as it came. */
export function renameInEvents(reply: Reply, model: string, paths: readonly MemberPath[]): Reply {
  const by = Buffer.from(JSON.stringify(model));
  return rewriteData(reply, (data) => {
    for (const path of paths) {
      let start = 0;
      for (const name of path) start = start < 0 ? -1 : findMember(data, start, name);
      if (start < 0 || data[start] !== quote) continue;
      const end = skipValue(data, start);
      // A name that nothing stands behind is cut off.
      return end < data.length ? { start, end, by } : null;
    }
    return null;
  });
}
