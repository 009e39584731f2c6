/** Milliseconds after the last touch for which somebody counts as being there. */
const LINGERS = 60_000;

let lastTouch = Date.now();

for (const event of ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const) {
  window.addEventListener(event, () => (lastTouch = Date.now()), { passive: true, capture: true });
}

/** Whether a person used this page within the last minute. */
export function isSomebodyThere(): boolean {
  return document.visibilityState === 'visible' && Date.now() - lastTouch < LINGERS;
}
