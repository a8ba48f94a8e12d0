import type { Exchange } from '../pipeline/exchange.ts';
import { headerInList } from '../pipeline/headers.ts';
import type { Reply } from '../pipeline/reply.ts';
import { isEventStream } from './events.ts';
import { FoldedCompletion } from './folded-completion.ts';
import { FreshId } from './fresh-id.ts';
import { findMember, parseValue } from './json-skim.ts';
import { recastReply } from './recast.ts';
import { rewriteData } from './rewrite-data.ts';
import { UnfoldedCompletion } from './unfolded-completion.ts';
import { withUsage } from './usage.ts';
import { withId } from './with-id.ts';

/** An answer of the OpenAI API that was computed for another request: with an id that nobody else has, in the form that was asked for, and its tokens noted. */
export function renderCompletion(reply: Reply, { head, ask, journal }: Exchange): Reply {
  const { operation } = head.endpoint;
  if (operation === 'other' || headerInList(reply.headers, 'content-encoding') !== null) return reply;
  const id = new FreshId();
  const counted = withUsage(reply, journal);
  const isStream = isEventStream(reply);
  if ((operation === 'chat' || operation === 'completion') && isStream !== ask.isStreaming) {
    const recast = isStream
      ? new FoldedCompletion(operation, id)
      : new UnfoldedCompletion(operation, id, wantsUsage(ask.content));
    return recastReply(counted, recast);
  }
  return isStream ? rewriteData(counted, (data) => id.find(data)) : withId(counted, id);
}

function wantsUsage(request: Uint8Array): boolean {
  const at = findMember(request, 0, 'stream_options');
  const wishAt = at < 0 ? -1 : findMember(request, at, 'include_usage');
  return wishAt >= 0 && parseValue(request, wishAt) === true;
}
