/** Tabs with the keyboard support of the ARIA tabs pattern. */

/** Make the tabs of `tablist` work; the returned function selects a tab by its id. */
export function tabs(tablist: HTMLElement, onChoose: () => void): (id: string) => void {
  const all = [...tablist.querySelectorAll<HTMLButtonElement>("[role=tab]")];
  const choose = (id: string) => {
    for (const tab of all) {
      const isChosen = tab.id === id;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")!)!.hidden = !isChosen;
    }
    onChoose();
  };
  tablist.addEventListener("click", ({ target }) => {
    const tab = (target as Element).closest("[role=tab]");
    if (tab) choose(tab.id);
  });
  tablist.addEventListener("keydown", (event) => {
    const shown = all.filter(({ hidden }) => !hidden);
    const at = shown.indexOf(document.activeElement as HTMLButtonElement);
    const to: Record<string, number> = {
      ArrowRight: (at + 1) % shown.length,
      ArrowLeft: (at + shown.length - 1) % shown.length,
      Home: 0,
      End: shown.length - 1,
    };
    if (!Object.hasOwn(to, event.key)) return;
    event.preventDefault();
    shown[to[event.key]].focus();
    choose(shown[to[event.key]].id);
  });
  return choose;
}
