import type { ReactNode } from 'react';
import { Endless } from '../../parts/endless.js';
import type { LoadedQuery } from '../../parts/loaded.js';
import type { MoreQuery } from '../../parts/more-button.js';
import { ImageVersionLink } from '../../parts/image-version-link.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import type { ImageMedium } from '../../api/types.js';
import { MEDIUM_LOOKS } from '../../states/image-channels.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

interface Props {
  /** What is said when there is none. */
  none: string;
  query: LoadedQuery<{ pages: readonly { items: readonly ImageMedium[] }[] }> & MoreQuery;
}

/** What was written to which stick, newest first, and whether it was read back. */
export function Sticks({ none, query }: Props): ReactNode {
  return (
    <Endless query={query} none={none}>
      {(sticks) => (
        <Table
          rows={sticks}
          columns={[
            {
              name: text.images.stick,
              cell: ({ serial, model }) => (
                <>
                  {serial} {model !== null && <span className="dim">{model}</span>}
                </>
              ),
            },
            { name: text.images.version, cell: ({ imageVersionId }) => <ImageVersionLink id={imageVersionId} /> },
            { name: text.images.verification, cell: (stick) => <Verification stick={stick} /> },
            {
              name: text.images.written,
              cell: ({ writtenBy, writtenAt }) => (
                <>
                  <Instant at={writtenAt} /> <span className="dim">{text.images.by(writtenBy)}</span>
                </>
              ),
            },
          ]}
        />
      )}
    </Endless>
  );
}

function Verification({ stick: { state, uncached, problem, checkedAt } }: { stick: ImageMedium }): ReactNode {
  return (
    <>
      <Mark {...MEDIUM_LOOKS[state]} word={text.images.medium[state]} />{' '}
      <span className="dim small">
        {checkedAt !== null && <Instant at={checkedAt} />}
        {state === 'verified' && uncached === false && ` · ${text.images.cached}`}
        {problem !== null && ` · ${problem}`}
      </span>
    </>
  );
}
