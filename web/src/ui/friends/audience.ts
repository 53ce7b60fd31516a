/** For whom at a friend's node a library of ours is, and what is typed where people are named. */
import type { Friend, FriendChange } from '../../api/types';

/** Nobody there, everyone there, or those of these names. */
export type Audience = 'nobody' | 'everyone' | string[];

type Shares = Pick<Friend, 'libraries' | 'people'>;

export function audienceOf(friend: Shares, library: string): Audience {
  if (!friend.libraries.includes(library)) return 'nobody';
  return friend.people[library] ?? 'everyone';
}

/** What to ask the node for, so that a library is for this audience from its first moment on, and the others stay as they are. */
export function shareWith(friend: Shares, library: string, audience: Audience): FriendChange {
  const others = friend.libraries.filter((one) => one !== library);
  if (audience === 'nobody') return { libraries: others };
  return { libraries: [...others, library], people: { [library]: audience === 'everyone' ? null : audience } };
}

/** The names in a text, each once: separated by commas or lines, compared without regard to case. */
export function names(text: string): string[] {
  const found = new Map<string, string>();
  for (const name of text.split(/[,;\n]/).map((part) => part.trim())) {
    const key = name.toLowerCase();
    if (name !== '' && !found.has(key)) found.set(key, name);
  }
  return [...found.values()];
}
