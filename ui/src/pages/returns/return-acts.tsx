import { useState, type ReactNode } from 'react';
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import type { Return } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { ChooseSite } from '../../parts/choose-site.js';
import { LabelButton } from '../../parts/label-button.js';
import { useMay } from '../../shell/caller.js';
import { RETURN_MOVES, type ReturnMove } from '../../states/return-moves.js';
import { text } from '../../text/text.js';

/** What may be done about a return as it stands. */
export function ReturnActs({ one }: { one: Return }): ReactNode {
  const mayWrite = useMay()('devices:write');
  const [asked, setAsked] = useState<ReturnMove | null>(null);
  const moves: readonly ReturnMove[] = mayWrite ? RETURN_MOVES[one.state] : [];
  const isOnItsWay = one.state === 'asked' || one.state === 'sent';
  const Asked = asked === null ? null : DIALOGS[asked];
  return (
    <div className="row">
      {moves.map((move) => (
        <Button key={move} size="xs" variant="default" onClick={() => setAsked(move)}>
          {text.returns.move[move].open}
        </Button>
      ))}
      {isOnItsWay && one.siteId !== null && (
        <LabelButton path={`/v1/returns/${one.id}/label`} name={one.assetTag} small />
      )}
      {Asked && <Asked one={one} onClose={() => setAsked(null)} />}
    </div>
  );
}

interface Props {
  one: Return;
  onClose: () => void;
}

const DIALOGS: Readonly<Record<ReturnMove, (props: Props) => ReactNode>> = {
  sent: Send,
  received: Receive,
  inspected: Inspect,
  written_off: WriteOff,
};

function Send({ one: { id, assetTag }, onClose }: Props): ReactNode {
  const [tracking, setTracking] = useState('');
  const { open, means } = text.returns.move.sent;
  return (
    <ActDialog
      title={text.devices.actOn(open, assetTag)}
      verb={open}
      act={() =>
        answerOf(
          api.POST('/v1/returns/{id}/send', { params: { path: { id } }, body: { tracking: tracking.trim() || null } }),
        )
      }
      onDone={onClose}
      onClose={onClose}
    >
      <p>{means}</p>
      <TextInput
        label={text.returns.tracking}
        value={tracking}
        onChange={(event) => setTracking(event.currentTarget.value)}
        maxLength={200}
        data-autofocus
      />
    </ActDialog>
  );
}

function Receive({ one, onClose }: Props): ReactNode {
  const [siteId, setSiteId] = useState(one.siteId);
  const { open, means } = text.returns.move.received;
  return (
    <ActDialog
      title={text.devices.actOn(open, one.assetTag)}
      verb={open}
      isIncomplete={siteId === null}
      act={() =>
        answerOf(
          api.POST('/v1/returns/{id}/receive', { params: { path: { id: one.id } }, body: { siteId: siteId ?? '' } }),
        )
      }
      onDone={onClose}
      onClose={onClose}
    >
      <p>{means}</p>
      <ChooseSite label={text.returns.whereNow} value={siteId} none={text.sites.choose} onChange={setSiteId} />
    </ActDialog>
  );
}

const CONDITIONS = ['good', 'worn', 'faulty'] as const;
const WIPED = ['yes', 'no', 'unknown'] as const;

/** Nothing is chosen beforehand: who didn't look would say it unseen. */
function Inspect({ one: { id, assetTag }, onClose }: Props): ReactNode {
  const [condition, setCondition] = useState<(typeof CONDITIONS)[number] | undefined>();
  const [wiped, setWiped] = useState<(typeof WIPED)[number] | undefined>();
  const [accessories, setAccessories] = useState('');
  const { open, means } = text.returns.move.inspected;
  const inspect = async (findings: string): Promise<void> => {
    if (condition === undefined || wiped === undefined) return;
    const body = { condition, wiped, accessories: accessories.trim() || null, findings: findings || null };
    await answerOf(api.POST('/v1/returns/{id}/inspect', { params: { path: { id } }, body }));
  };
  return (
    <ActDialog
      title={text.devices.actOn(open, assetTag)}
      verb={open}
      isIncomplete={condition === undefined || wiped === undefined}
      ask={{ label: text.returns.findings, required: false }}
      act={inspect}
      onDone={onClose}
      onClose={onClose}
    >
      <p>{means}</p>
      <NativeSelect
        label={text.returns.conditionLabel}
        value={condition ?? ''}
        onChange={({ currentTarget }) => setCondition(CONDITIONS.find((known) => known === currentTarget.value))}
        data={choices(CONDITIONS, text.returns.condition)}
        data-autofocus
      />
      <NativeSelect
        label={text.returns.wipedLabel}
        value={wiped ?? ''}
        onChange={({ currentTarget }) => setWiped(WIPED.find((known) => known === currentTarget.value))}
        data={choices(WIPED, text.returns.wiped)}
      />
      <TextInput
        label={text.returns.accessories}
        value={accessories}
        onChange={(event) => setAccessories(event.currentTarget.value)}
        maxLength={2_000}
      />
    </ActDialog>
  );
}

function choices<T extends string>(
  values: readonly T[],
  words: Readonly<Record<T, string>>,
): { value: string; label: string }[] {
  return [{ value: '', label: text.returns.look }, ...values.map((value) => ({ value, label: words[value] }))];
}

function WriteOff({ one: { id, assetTag }, onClose }: Props): ReactNode {
  const { open, means } = text.returns.move.written_off;
  return (
    <ActDialog
      title={text.devices.actOn(open, assetTag)}
      verb={open}
      danger
      ask={{ label: text.returns.why, required: true }}
      act={(reason) => answerOf(api.POST('/v1/returns/{id}/write-off', { params: { path: { id } }, body: { reason } }))}
      onDone={onClose}
      onClose={onClose}
    >
      <p>{means}</p>
    </ActDialog>
  );
}
