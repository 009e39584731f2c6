import { useState, type ReactNode } from 'react';
import { Button, NativeSelect } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import type { DeviceCommand } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { COMMAND_STATE_LOOKS, seenNext, type SeenState } from '../../states/command-states.js';
import { text } from '../../text/text.js';
import { ClockTime } from '../../time/instant.js';

/** An order to lock, unlock or wipe, with everything that was seen of it, as it was told. */
export function DeviceOrder({ caseId, command }: { caseId: string; command: DeviceCommand }): ReactNode {
  const may = useMay();
  const [isAsked, setAsked] = useState(false);
  const next = seenNext(command.state);
  return (
    <li className="step" data-row tabIndex={-1}>
      <p className="step-what">
        {text.lostLaptop.orderOf[command.kind]}{' '}
        <span className="dim">{text.lostLaptop.givenBy(command.givenBy, command.tool)}</span>
      </p>
      <p>
        <Mark {...COMMAND_STATE_LOOKS[command.state]} word={text.lostLaptop.orderState[command.state]} />
      </p>
      {command.problem !== null && (
        <p className={command.needsPerson ? undefined : 'dim small'}>
          {command.needsPerson && '▲ '}
          {command.problem}
        </p>
      )}
      <ol className="plain-list small">
        {command.events.map(({ state, note, seenBy, seenAt }) => (
          <li key={seenAt + state}>
            <ClockTime at={seenAt} /> {text.lostLaptop.orderState[state]}, {text.lostLaptop.by(seenBy)}
            <span className="dim"> · {note}</span>
          </li>
        ))}
      </ol>
      {next.length > 0 && may('lost-devices:decide') && (
        <p className="row">
          <Button size="xs" variant="default" onClick={() => setAsked(true)}>
            {text.lostLaptop.sawIt}
          </Button>
        </p>
      )}
      {isAsked && <Seen caseId={caseId} commandId={command.id} next={next} onClose={() => setAsked(false)} />}
    </li>
  );
}

interface SeenProps {
  caseId: string;
  commandId: string;
  next: readonly SeenState[];
  onClose: () => void;
}

function Seen({ caseId, commandId: id, next, onClose }: SeenProps): ReactNode {
  const [chosen, setChosen] = useState<SeenState | undefined>(next[0]);
  return (
    <ActDialog
      title={text.lostLaptop.sawTitle}
      verb={text.lostLaptop.sawIt}
      ask={{ label: text.lostLaptop.sawNote, required: true }}
      act={(note) =>
        answerOf(
          api.POST('/v1/lost-devices/{caseId}/commands/{id}/progress', {
            params: { path: { caseId, id } },
            body: { state: chosen ?? 'requested', note },
          }),
        )
      }
      onDone={onClose}
      onClose={onClose}
    >
      <p>{text.lostLaptop.sawMeans}</p>
      <NativeSelect
        label={text.lostLaptop.sawState}
        value={chosen}
        onChange={({ currentTarget: { value } }) => setChosen(next.find((one) => one === value))}
        data={next.map((value) => ({ value, label: text.lostLaptop.orderState[value] }))}
      />
    </ActDialog>
  );
}
