// Readable source: frontend/ in the repository and the sdist.
var n=(t,e)=>Object.assign(document.createElement(t),e),r=t=>{let e=new CSSStyleSheet;e.replaceSync(t),document.adoptedStyleSheets=[...document.adoptedStyleSheets,e]};r(`
html:has(.kordless[open]) { overflow: hidden }
.kordless {
  width: 60rem; max-width: 95%; max-height: 95%; padding: 0; border: 0; border-radius: 20px; background: canvas;
  &::backdrop { background: #000a }
  button { position: sticky; top: 0; width: 100%; padding: 8px 20px; border: 0; background: canvas; color: canvastext; font-size: 28px; text-align: end }
  @media (width < 640px) { & { width: 100%; height: 100%; max-width: none; max-height: none; border-radius: 0 } }
}`);var x=t=>{let{link:e,title:a,frame:c,wayOut:i,dispatch:l}=t,{kordlessBooking:d,accent:h,closeLabel:m="Close",position:p}=e.dataset,o=n("dialog",{className:"kordless",ariaLabel:a});if(t.dialog=o,t.close=()=>o.close(),o.append(n("button",{textContent:"×",ariaLabel:m}),i,c),document.body.append(o),o.onclick=t.close,o.onclose=()=>{e.focus(),l("closed")},e.onclick=s=>{s.ctrlKey||s.metaKey||s.shiftKey||(s.preventDefault(),o.showModal())},d==="button"){let s=p==="left"?"left":"right";e.style.cssText=`position: fixed; z-index: 99999; bottom: 20px; ${s}: 20px; padding: 8px 20px; border: 3px solid; border-radius: 20px; background: canvas; color: canvastext`,e.style.borderColor=h}};export{x as attachDialog};
