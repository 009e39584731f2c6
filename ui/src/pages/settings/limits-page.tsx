import { useState, type ReactNode } from 'react';
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { limitsQuery } from '../../api/settings-queries.js';
import type { AskedApproval, BrakeLimit } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Loaded } from '../../parts/loaded.js';
import { Table } from '../../parts/table.js';
import { useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { SettingsFrame } from './settings-frame.js';
import { WaitsForApproval } from './waits-for-approval.js';

const words = text.settings.limits;

/** How much may change at once before a brake holds it. Lowering a limit takes one person, raising it two. */
export function LimitsPage(): ReactNode {
  const mayChange = useMayEverywhere()('brakes:write');
  const query = useQuery(limitsQuery);
  const [changing, setChanging] = useState<BrakeLimit | null>(null);
  const [approval, setApproval] = useState<AskedApproval | null>(null);
  const close = (): void => setChanging(null);
  return (
    <SettingsFrame words={words}>
      <WaitsForApproval approval={approval} />
      <Loaded query={query} lines={6}>
        {({ items }) => (
          <Table
            rows={items.map((limit) => ({ ...limit, id: limit.kind }))}
            columns={[
              { name: words.what, cell: ({ kind }) => words.kind[kind] },
              { name: words.passes, cell: (limit) => <Passes limit={limit} /> },
              { name: words.changedBy, cell: ({ changedBy }) => changedBy ?? words.asDelivered },
              ...(mayChange
                ? [
                    {
                      name: text.settings.acts,
                      cell: (limit: BrakeLimit) => (
                        <Button
                          size="compact-xs"
                          variant="default"
                          onClick={() => setChanging(limit)}
                          aria-label={text.devices.actOn(text.settings.change, words.kind[limit.kind])}
                        >
                          {text.settings.change}
                        </Button>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Loaded>
      {changing && (
        <LimitDialog
          limit={changing}
          onDone={(asked) => {
            setApproval(asked);
            close();
          }}
          onClose={close}
        />
      )}
    </SettingsFrame>
  );
}

function Passes({ limit: { kind, atLeast, sharePercent } }: { limit: BrakeLimit }): ReactNode {
  return kind === 'reveals' ? words.keys(atLeast) : words.many(atLeast, sharePercent);
}

interface Props {
  limit: BrakeLimit;
  /** With what another person has to approve; null: it is done. */
  onDone: (approval: AskedApproval | null) => void;
  onClose: () => void;
}

function LimitDialog({ limit: { kind, ...before }, onDone, onClose }: Props): ReactNode {
  const [atLeast, setAtLeast] = useState(String(before.atLeast));
  const [share, setShare] = useState(String(before.sharePercent));
  const isRaise = Number(atLeast) > before.atLeast || Number(share) > before.sharePercent;
  return (
    <ActDialog
      title={text.devices.actOn(text.settings.change, words.kind[kind])}
      verb={isRaise ? text.approvals.askSecond : text.save}
      ask={{ label: text.settings.why, description: text.settings.whyMeans, required: isRaise }}
      isIncomplete={atLeast.trim() === '' || share.trim() === ''}
      act={(reason) => {
        const body = { atLeast: Number(atLeast), sharePercent: Number(share), ...(reason !== '' && { reason }) };
        return answerOf(api.PUT('/v1/brake-limits/{kind}', { params: { path: { kind } }, body }));
      }}
      onDone={({ approval }) => onDone(approval)}
      onClose={onClose}
    >
      <p>{isRaise ? words.raiseMeans : words.lowerMeans}</p>
      <TextInput
        type="number"
        inputMode="numeric"
        min={0}
        label={kind === 'reveals' ? words.keysAlone : words.atLeast}
        value={atLeast}
        onChange={({ currentTarget }) => setAtLeast(currentTarget.value)}
        required
        data-autofocus
      />
      {kind !== 'reveals' && (
        <TextInput
          type="number"
          inputMode="numeric"
          min={0}
          max={100}
          label={words.share}
          description={words.shareMeans}
          value={share}
          onChange={({ currentTarget }) => setShare(currentTarget.value)}
          required
        />
      )}
    </ActDialog>
  );
}
