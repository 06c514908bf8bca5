/** Asking for the same thing many times, and doing it no oftener than it can be done. */

/** Wrap an async act: one run at a time, and once more when asked for meanwhile. */
export function coalesce(act) {
  let running = null;
  let again = false;
  return function ask() {
    if (running) {
      again = true;
      return running;
    }
    running = act().finally(() => {
      running = null;
      if (again) {
        again = false;
        ask();
      }
    });
    return running;
  };
}
