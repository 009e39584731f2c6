import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import type { SecurityKey } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Mark } from '../../parts/step-state-mark.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

interface Props {
  securityKey: SecurityKey;
  /** Whose it is, where that isn't whoever looks. */
  holder?: string;
  /** What it means that it is removed. */
  means: string;
  /** Null for who may not. */
  remove: (() => Promise<unknown>) | null;
}

export function SecurityKeyRow({ securityKey, holder, means, remove }: Props): ReactNode {
  const { name, createdAt, lastUsedAt, copiedAt } = securityKey;
  const [isAsked, setAsked] = useState(false);
  const close = (): void => setAsked(false);
  return (
    <li className="row-plain" data-row tabIndex={-1}>
      <span className="row-name">{name}</span>
      <span className="row-detail">
        {holder !== undefined && `${holder} · `}
        {text.yourSignIn.registered} <Instant at={createdAt} /> ·{' '}
        {lastUsedAt === null ? (
          text.yourSignIn.neverUsed
        ) : (
          <>
            {text.yourSignIn.used} <Instant at={lastUsedAt} />
          </>
        )}
        {copiedAt !== null && (
          <>
            {' '}
            <Mark shape="▲" tone="bad" word={text.yourSignIn.copied} />
          </>
        )}
      </span>
      {remove && (
        <Button size="xs" variant="default" onClick={() => setAsked(true)}>
          {text.yourSignIn.remove}
        </Button>
      )}
      {remove && isAsked && (
        <ActDialog
          title={text.yourSignIn.removeTitle(name)}
          verb={text.yourSignIn.removeVerb}
          danger
          act={remove}
          onDone={close}
          onClose={close}
        >
          <p>{means}</p>
        </ActDialog>
      )}
    </li>
  );
}
