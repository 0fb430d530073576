// Gives the sign-up form's ALTCHA widget its worker, from our own address, and the page's own words.
for (const widget of document.querySelectorAll("altcha-widget")) {
  const { worker, busy } = widget.dataset;
  const language = document.documentElement.lang;
  $altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(worker));
  $altcha.i18n.set(language, { ...$altcha.i18n.get("en"), verifying: busy, waitAlert: busy });
  // A browser that cannot do the sum sends the form without it, as one without scripts does.
  widget.addEventListener("statechange", ({ detail }) => {
    if (detail.state !== "error") return;
    const form = widget.closest("form");
    widget.remove();
    setTimeout(() => form.requestSubmit()); // a form that is being submitted takes no second submission
  });
}
