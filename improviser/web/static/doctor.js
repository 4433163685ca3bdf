/** The doctor's panel: checks the machine and lists findings and next steps. */

import { byId, make, setText } from "./dom.js";

const SIGNS = { pass: "Pass", warn: "Warn", fail: "Fail" };

/** Connect the button that checks the machine. */
export function offerDoctor() {
  byId("doctor-run").addEventListener("click", async () => {
    setText(byId("doctor-says"), "Checking …");
    byId("doctor-run").disabled = true;
    try {
      const answer = await fetch("doctor");
      if (!answer.ok) throw new Error(String(answer.status));
      const findings = await answer.json();
      byId("doctor-list").replaceChildren(...findings.map(item));
      const bad = findings.filter((finding) => finding.status !== "pass").length;
      setText(byId("doctor-says"), bad ? `${bad} of ${findings.length} checks warn or fail.` : "All checks pass.");
    } catch {
      setText(byId("doctor-says"), "The check did not run. Is the improviser running? You can also run in a terminal: improviser doctor");
    }
    byId("doctor-run").disabled = false;
  });
}

/** Make the list item of one finding. */
function item({ name, status, found, next_step: nextStep }) {
  const step = nextStep ? make("div", { class: "small" }, nextStep) : "";
  return make("li", {}, make("b", {}, SIGNS[status] ?? status), ` ${name}: ${found}`, step);
}
