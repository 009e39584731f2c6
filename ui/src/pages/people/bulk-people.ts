import type { Person } from '../../api/types.js';
import type { Preview } from '../../bulk/bulk-dialog.js';
import { text } from '../../text/text.js';

export type BulkPeopleAct = 'leave' | 'reset';

/** What comes of it for somebody among others. Which accounts there are is looked up when it happens. */
export function previewBulk(
  { id, status }: Pick<Person, 'id' | 'status'>,
  act: BulkPeopleAct,
  callerPersonId: string | null,
): Preview {
  const words = text.people.bulk;
  if (status === 'left') return { cannot: words.hasLeft };
  if (id === callerPersonId) return { cannot: words.yourself };
  return { will: act === 'reset' ? words.getsNew : words.loses[status] };
}
