import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import type { Loss } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Section } from '../../parts/section.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { serverNow } from '../../time/server-clock.js';
import { useNow } from '../../time/use-now.js';

type Task = Loss['tasks'][number];

/** Who has what to do by when. What ends by something that happens ends by itself; the rest by somebody's word. */
export function LossTasks({ loss: { caseId, tasks } }: { loss: Loss }): ReactNode {
  const may = useMay();
  const now = Math.max(useNow(10_000), serverNow());
  const [ended, setEnded] = useState<Task | null>(null);
  const close = (): void => setEnded(null);
  if (tasks.length === 0) return null;
  return (
    <Section title={text.lostLaptop.tasks} count={tasks.filter(({ doneAt }) => doneAt === null).length}>
      <ol className="steps">
        {tasks.map((task) => (
          <li key={task.task} className="task" data-row tabIndex={-1}>
            <TaskWords task={task} now={now} />
            {task.doneAt === null && task.ends === null && may('lost-devices:report') && (
              <p className="row">
                <Button size="xs" variant="default" onClick={() => setEnded(task)}>
                  {text.lostLaptop.endTask}
                </Button>
              </p>
            )}
          </li>
        ))}
      </ol>
      {ended && (
        <ActDialog
          title={text.lostLaptop.endTaskTitle}
          verb={text.lostLaptop.endTask}
          ask={{ label: text.lostLaptop.endTaskNote, required: true }}
          act={(note) =>
            answerOf(
              api.POST('/v1/lost-devices/{caseId}/tasks/{task}/complete', {
                params: { path: { caseId, task: ended.task } },
                body: { note },
              }),
            )
          }
          onDone={close}
          onClose={close}
        >
          <p>{ended.title}</p>
        </ActDialog>
      )}
    </Section>
  );
}

function TaskWords({
  task: { title, owner, dueAt, doneAt, doneBy, note },
  now,
}: {
  task: Task;
  now: number;
}): ReactNode {
  const isLate = doneAt === null && Date.parse(dueAt) < now;
  return (
    <>
      <p className={isLate ? 'mark-bad' : undefined}>
        <span aria-hidden="true">{doneAt !== null ? '●' : isLate ? '▲' : '○'}</span> <strong>{title}</strong>
      </p>
      <p className="dim small">
        {owner} ·{' '}
        {doneAt !== null ? (
          <>
            {text.lostLaptop.endedBy(doneBy ?? text.people.somebody)} <Instant at={doneAt} />
          </>
        ) : (
          <>
            {isLate ? text.lostLaptop.wasDue : text.lostLaptop.due} <Instant at={dueAt} />
          </>
        )}
      </p>
      {note !== null && <p className="quoted small">{note}</p>}
    </>
  );
}
