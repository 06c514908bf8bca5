/** The channel's title in the studio: read where it stands, and changed there. */

import { h, iconButton, setText } from "./dom.js";

/** As the server takes it. */
const MOST_LETTERS = 120;

export class Title {
  #heading;
  #edit = iconButton("edit", "Change the title", () => this.#begin());
  #field = h("input", { type: "text", "aria-label": "Title", maxLength: MOST_LETTERS, required: true, autocomplete: "off" });
  #form;
  #rename;

  /** `place` holds the heading; `rename(title)` answers what the title is then, null: as it was. */
  constructor(place, rename) {
    this.#heading = place.querySelector("h1");
    this.#rename = rename;
    this.#form = h(
      "form",
      { className: "title-form", hidden: true },
      this.#field,
      h("button", { type: "submit", className: "primary" }, "Save"),
      iconButton("close", "Leave the title as it is", () => this.#end()),
    );
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    this.#form.addEventListener("keydown", ({ key }) => key === "Escape" && this.#end());
    place.append(this.#edit, this.#form);
  }

  draw(title) {
    setText(this.#heading, title);
    document.title = `Studio · ${title}`;
  }

  #begin() {
    this.#show(true);
    this.#field.value = this.#heading.textContent;
    this.#field.select();
  }

  #end() {
    this.#show(false);
    this.#edit.focus();
  }

  #show(changing) {
    this.#form.hidden = !changing;
    this.#heading.hidden = this.#edit.hidden = changing;
  }

  async #save() {
    if (this.#form.inert) return;
    this.#form.inert = true;
    const title = await this.#rename(this.#field.value);
    this.#form.inert = false;
    if (title === null) {
      this.#field.focus();
      return;
    }
    this.draw(title);
    this.#end();
  }
}
