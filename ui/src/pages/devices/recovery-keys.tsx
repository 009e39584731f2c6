import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { recoveryKeysQuery } from '../../api/queries.js';
import type { RecoveryKey } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Copyable } from '../../parts/copyable.js';
import { Dialog } from '../../parts/dialog.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

/** That recovery keys are kept and who read one; the keys themselves only where somebody asks for one with a reason. */
export function RecoveryKeys({ deviceId }: { deviceId: string }): ReactNode {
  const query = useQuery({ ...recoveryKeysQuery(deviceId), retry: false });
  return (
    <Section title={text.devices.recoveryKeys} count={query.data?.items.length}>
      <Loaded query={query} lines={1}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{text.devices.noKeys}</Empty>
          ) : (
            <ul className="rows">
              {items.map((kept) => (
                <KeptKey key={kept.id} deviceId={deviceId} kept={kept} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}

function KeptKey({ deviceId, kept }: { deviceId: string; kept: RecoveryKey }): ReactNode {
  const mayReveal = useMay()('devices:reveal-recovery-keys');
  const [isAsked, setAsked] = useState(false);
  const { protects, source, keptAt, format, provedAt, revealedAt, isNewest, rotationAskedAt, rotationAskedBecause } =
    kept;
  return (
    <li className="row-plain">
      <span className="row-name">
        {text.devices.protects[protects]}
        {!isNewest && <span className="dim"> · {text.recoveryKeys.older}</span>}
      </span>
      <span className="row-detail stack-small">
        <span>
          {text.devices.keptFrom(source)} <Instant at={keptAt} />
          {provedAt !== null && (
            <>
              {' · '}
              {text.devices.provedByDevice} <Instant at={provedAt} />
            </>
          )}
          {format === 'wrong' && ` · ▲ ${text.devices.keyFormatWrong}`}
          {' · '}
          {revealedAt === null ? (
            text.devices.neverRevealed
          ) : (
            <>
              ▲ {text.devices.revealed} <Instant at={revealedAt} />
            </>
          )}
        </span>
        {rotationAskedAt !== null && rotationAskedBecause !== null && (
          <span>
            <Mark shape="▲" tone="busy" word={text.recoveryKeys.rotationAsked[rotationAskedBecause]} />{' '}
            <Instant at={rotationAskedAt} />
          </span>
        )}
      </span>
      {mayReveal && (
        <Button size="xs" variant="default" onClick={() => setAsked(true)}>
          {text.recoveryKeys.reveal}
        </Button>
      )}
      {isAsked && <Reveal deviceId={deviceId} keyId={kept.id} onClose={() => setAsked(false)} />}
    </li>
  );
}

interface RevealProps {
  deviceId: string;
  keyId: string;
  onClose: () => void;
}

/** Asks why, then shows the key this once: what is closed is gone, and nothing of it stays in the page. */
function Reveal({ deviceId: id, keyId, onClose }: RevealProps): ReactNode {
  const [key, setKey] = useState<string | null>(null);
  if (key === null) {
    return (
      <ActDialog
        title={text.recoveryKeys.revealTitle}
        verb={text.recoveryKeys.revealVerb}
        danger
        ask={{ label: text.recoveryKeys.why, description: text.recoveryKeys.whoReads, required: true }}
        act={async (reason) => {
          const params = { path: { id, key: keyId } };
          const read = await answerOf(
            api.POST('/v1/devices/{id}/recovery-keys/{key}/reveal', { params, body: { reason } }),
          );
          // Kept here alone, and not in what the page remembers of its acts.
          setKey(read.key);
        }}
        onDone={() => undefined}
        onClose={onClose}
      >
        <p>{text.recoveryKeys.revealMeans}</p>
      </ActDialog>
    );
  }
  return (
    <Dialog title={text.recoveryKeys.shown} onClose={onClose}>
      <div className="stack">
        <Copyable value={key} large />
        <p>{text.recoveryKeys.shownOnce}</p>
        <p className="dim">{text.recoveryKeys.willRotate}</p>
      </div>
    </Dialog>
  );
}
