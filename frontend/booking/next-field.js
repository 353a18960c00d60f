// What Enter does in the contact form on a phone, whose keyboard says "next" there: the next field, instead of sending
// a form that is half filled in. Android does it by itself, iOS doesn't.

export const onEnterKey = (event) => {
  const { key, target } = event;
  if (key !== "Enter" || target.enterKeyHint !== "next" || event.isComposing || !matchMedia("(pointer: coarse)").matches) return;
  const fields = [...target.form.querySelectorAll("[data-kb-prefill]")];
  event.preventDefault();
  fields[fields.indexOf(target) + 1].focus();
};
