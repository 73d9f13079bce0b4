import { Component, type ComponentChildren, render } from "preact";
import { AddressContext, there, useAddress, useLocationHash } from "./address";
import { Waiting } from "./figure";
import { SceneContext, useNewScene, useScene } from "./scene";
import { ClusterCountScreen } from "./screens/cluster_count";
import { CustomerScreen } from "./screens/customer";
import { CustomersScreen } from "./screens/customers";
import { GridScreen } from "./screens/grid";
import { ModelsScreen } from "./screens/models";
import { MovesScreen } from "./screens/moves";
import { OverviewScreen } from "./screens/overview";
import { PipelineScreen } from "./screens/pipeline";
import { RetentionScreen } from "./screens/retention";
import { RiskScreen } from "./screens/risk";
import { RulesScreen } from "./screens/rules";
import { SalesScreen } from "./screens/sales";
import { ScoreScreen } from "./screens/score";
import { Shell } from "./shell";
import "./style.css";
import { startTheme } from "./theme";

const screenOf: Record<string, () => preact.JSX.Element | null> = {
  "": OverviewScreen,
  moves: MovesScreen,
  grid: GridScreen,
  customers: CustomersScreen,
  c: CustomerScreen,
  sales: SalesScreen,
  retention: RetentionScreen,
  risk: RiskScreen,
  models: ModelsScreen,
  k: ClusterCountScreen,
  rules: RulesScreen,
  score: ScoreScreen,
  pipeline: PipelineScreen,
};

// These say something even before there are figures.
const kAlways = new Set(["pipeline", "rules"]);

function Screen() {
  const address = useAddress();
  const { status, today } = useScene();
  const Found = screenOf[address.screen];
  if (!Found) {
    return (
      <div class="panel problem">
        <h2>There is no such screen</h2>
        <p>
          The address may be mistyped. <a href={there(address, "")}>To the overview</a>
        </p>
      </div>
    );
  }
  if (kAlways.has(address.screen) && status.data) return <Found />;
  if (!status.data) return <Waiting answer={status} />;
  if (!today) return <NothingYet />;
  return <Found />;
}

function NothingYet() {
  const address = useAddress();
  const { status } = useScene();
  return (
    <div class="panel problem">
      <h2>There is no customer yet</h2>
      <p>
        No event has been applied so far{status.data?.phase ? ` (${status.data.phase})` : ""}. The
        screen <a href={there(address, "pipeline")}>Pipeline</a> shows how many records there are
        and what becomes of them. <code>rfmstream import FILE --kafka</code> brings history in,{" "}
        <code>rfmstream serve --state DIR</code> shows what a replay made.
      </p>
    </div>
  );
}

// A fault of the page itself is said instead of leaving an empty page.
class Guard extends Component<
  { children: ComponentChildren; place: string },
  { fault: string; place: string }
> {
  state = { fault: "", place: "" };

  static getDerivedStateFromError(error: unknown) {
    return { fault: String(error) };
  }

  componentDidCatch(error: unknown) {
    console.error(error);
    this.setState({ place: this.props.place });
  }

  componentDidUpdate() {
    if (this.state.fault && this.state.place && this.state.place !== this.props.place) {
      this.setState({ fault: "", place: "" });
    }
  }

  render() {
    if (!this.state.fault) return this.props.children;
    return (
      <div class="panel problem" role="alert">
        <h2>The page failed at drawing this screen</h2>
        <p>{this.state.fault}</p>
      </div>
    );
  }
}

function WithScene() {
  const scene = useNewScene();
  const address = useAddress();
  return (
    <SceneContext.Provider value={scene}>
      <Shell>
        <Guard place={`${address.screen}/${address.id}`}>
          <Screen />
        </Guard>
      </Shell>
    </SceneContext.Provider>
  );
}

function App() {
  return (
    <AddressContext.Provider value={useLocationHash()}>
      <WithScene />
    </AddressContext.Provider>
  );
}

startTheme();
const root = document.getElementById("page");
if (root) render(<App />, root);
