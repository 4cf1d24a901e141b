CREATE TABLE "net_l3vpn_Port" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "mac_address" VARCHAR(18) NOT NULL,
  "admin_state_up" BOOLEAN NOT NULL,
  "status" VARCHAR(32) NOT NULL,
  "vnic_type" VARCHAR(32) NOT NULL,
  "mtu" BIGINT NOT NULL,
  "vlan_transparency" BOOLEAN NOT NULL,
  "profile" TEXT,
  "device_id" VARCHAR(64),
  "device_owner" VARCHAR(128),
  "host_id" VARCHAR(64),
  "vif_details" TEXT,
  "vif_type" VARCHAR(32),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_Port_f32596933f" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_Interface" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "port_id" VARCHAR(64) NOT NULL REFERENCES "net_l3vpn_Port" ("id") DEFERRABLE INITIALLY DEFERRED,
  "segmentation_type" VARCHAR(32) NOT NULL,
  "segmentation_id" BIGINT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_Interface_fce32c0487" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_VpnService" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "description" VARCHAR(256),
  "ipv4_family" VARCHAR(255),
  "ipv6_family" VARCHAR(255),
  "route_distinguishers" VARCHAR(32),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnService_e88a466465" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_VpnBinding" (
  "_project" VARCHAR(64) NOT NULL,
  "interface_id" VARCHAR(64) NOT NULL REFERENCES "net_l3vpn_Interface" ("id") DEFERRABLE INITIALLY DEFERRED,
  "service_id" VARCHAR(64) NOT NULL REFERENCES "net_l3vpn_VpnService" ("id") DEFERRABLE INITIALLY DEFERRED,
  "ipaddress" VARCHAR(16),
  "subnet_prefix" BIGINT,
  "gateway" VARCHAR(16),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnBinding_2e766733d6" PRIMARY KEY ("interface_id")
);
CREATE TABLE "net_l3vpn_VpnAfConfig" (
  "_project" VARCHAR(64) NOT NULL,
  "vrf_rt_value" VARCHAR(32) NOT NULL,
  "vrf_rt_type" VARCHAR(32) NOT NULL,
  "import_route_policy" VARCHAR(32),
  "export_route_policy" VARCHAR(32),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnAfConfig_686d715580" PRIMARY KEY ("vrf_rt_value")
);
CREATE TABLE "net_l3vpn_BGPPeering" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "local_ip_address" VARCHAR(16) NOT NULL,
  "peer_ip_address" VARCHAR(16) NOT NULL,
  "as_number" BIGINT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_BGPPeering_eaaca49ec4" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_DataplaneTunnel" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "local_tunnel_endpoint" VARCHAR(16) NOT NULL,
  "remote_tunnel_endpoint" VARCHAR(16) NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_DataplaneTunnel_dd80c8a298" PRIMARY KEY ("id")
);
CREATE INDEX "ix_net_l3vpn_Port_025dcd715a" ON "net_l3vpn_Port" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_Interface_5b9b386642" ON "net_l3vpn_Interface" ("port_id");
CREATE INDEX "ix_net_l3vpn_Interface_3e7a93ad4a" ON "net_l3vpn_Interface" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_VpnService_b733de9f6a" ON "net_l3vpn_VpnService" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_VpnBinding_7d7e019615" ON "net_l3vpn_VpnBinding" ("service_id");
CREATE INDEX "ix_net_l3vpn_VpnBinding_9c3a472147" ON "net_l3vpn_VpnBinding" ("_project", "interface_id");
CREATE INDEX "ix_net_l3vpn_VpnAfConfig_ca7cab592c" ON "net_l3vpn_VpnAfConfig" ("_project", "vrf_rt_value");
CREATE INDEX "ix_net_l3vpn_BGPPeering_376bf18952" ON "net_l3vpn_BGPPeering" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_DataplaneTunnel_16dab56dc3" ON "net_l3vpn_DataplaneTunnel" ("_project", "id");
